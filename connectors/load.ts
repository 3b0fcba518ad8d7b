import type { Connector } from '#sdk';

const http = async (): Promise<Connector> => (await import('./http/index.ts')).http;

/** Every connector by its key in the file. What it runs on is imported only when an integration uses it. */
const folders: Readonly<Record<string, () => Promise<Connector>>> = {
  http,
  soap: async () => (await import('./soap/index.ts')).soapOver(await http()),
  timer: async () => (await import('./timer/index.ts')).timer,
  channel: async () => (await import('./channel/index.ts')).channel,
  file: async () => (await import('./file/index.ts')).file,
  amqp: async () => (await import('./amqp/index.ts')).amqp,
  mqtt: async () => (await import('./mqtt/index.ts')).mqtt,
  kafka: async () => (await import('./kafka/index.ts')).kafka,
  nats: async () => (await import('./nats/index.ts')).nats,
  redis: async () => (await import('./redis/index.ts')).redis,
};

/**
 * The connectors whose name is wanted, with those that carry them: a start loads the description of no connector that
 * its file does not name.
 */
export async function loadConnectors(wanted: (name: string) => boolean): Promise<Readonly<Record<string, Connector>>> {
  const loaded = await load(wanted);
  const carriers = new Set(Object.values(loaded).map(({ definition }) => definition.carrier));
  return { ...(await load((name) => carriers.has(name))), ...loaded };
}

async function load(wanted: (name: string) => boolean): Promise<Readonly<Record<string, Connector>>> {
  const loading = Object.entries(folders)
    .filter(([name]) => wanted(name))
    .map(async ([name, folder]): Promise<[string, Connector]> => [name, await folder()]);
  return Object.fromEntries(await Promise.all(loading));
}
