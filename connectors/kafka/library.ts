import { type ConnectorContext, optionalPackage } from '#sdk';
import { brokerList, isName } from './address.ts';
import type { ClusterOptions } from './definition.ts';

export type Library = typeof import('@platformatic/kafka');
export type Client = InstanceType<Library['Base']>;
export type Connection = Awaited<ReturnType<Client['connectToBrokers']>> extends Map<number, infer C> ? C : never;

/** Loading it costs more than all the rest of a start: only who uses Kafka does. */
export const loadLibrary = (what: string): Promise<Library> =>
  optionalPackage(what, '@platformatic/kafka@2', () => import('@platformatic/kafka'));

const connectTimeout = 5_000;
/** So long it is believed who leads what, unless something says otherwise. */
export const metadataMaxAge = 60_000;
/** A broker that says nothing for so long is taken for gone. */
const silence = 10_000;

/** What every client of a cluster is made with. What is tried again, and when, is decided here and not in the library. */
export function clientOptions(options: ClusterOptions, context: ConnectorContext) {
  const { auth, tls, clientId = context.integration.name } = options;
  const brokers = brokerList(options.brokers);
  const sasl = auth?.plain
    ? ({ mechanism: 'PLAIN', username: auth.plain.username, password: auth.plain.password } as const)
    : auth?.scram
      ? ({
          mechanism: auth.scram.hash === 'sha-256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512',
          username: auth.scram.username,
          password: auth.scram.password,
        } as const)
      : undefined;
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    connectTimeout,
    requestTimeout: silence,
    retries: 0,
    metadataMaxAge,
    ...(sasl && { sasl }),
    ...(tls && {
      tls: {
        ...(tls.ca && { ca: tls.ca.text }),
        ...(tls.cert && { cert: tls.cert.text }),
        ...(tls.key && { key: tls.key.text }),
        ...(tls.servername !== undefined && { servername: tls.servername }),
        rejectUnauthorized: tls.rejectUnauthorized,
      },
      // An address cannot be asked for by name.
      ...(brokers.every(isName) && { tlsServerName: tls.servername ?? true }),
    }),
  };
}

/** For the log: no credentials are in it. */
export const farName = (options: ClusterOptions): string => `Kafka at ${brokerList(options.brokers).join(', ')}`;
