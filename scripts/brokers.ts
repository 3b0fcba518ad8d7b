/**
 * Starts the brokers that are installed here, each on its usual port of the loopback interface and with data of its own,
 * which goes when they stop: with Ctrl-C.
 *
 *     npm run brokers                      all of them
 *     npm run brokers -- nats redis        only these
 *     npm run brokers -- --shift 10000     each that much above its usual port
 *
 * Where they are is printed as `export` lines, everything else as comments. With Docker: `docker compose up`.
 */
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { type Broker, brokers, type Running } from '../test/support/brokers.ts';

const names = brokers.map((one) => one.name);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const comment = (line: string): void => say(`# ${line.replaceAll('\n', '\n# ')}`);

interface Wanted {
  readonly chosen: readonly Broker[];
  readonly shift: number;
}

/** What the command line asks for; ends the process when it makes no sense. */
function wanted(): Wanted {
  const refuse = (why: string): never => {
    process.stderr.write(`${why}\nUsage: npm run brokers -- [--shift PORTS] [${names.join(' | ')}]…\n`);
    return process.exit(2);
  };
  try {
    const { values, positionals } = parseArgs({ options: { shift: { type: 'string' } }, allowPositionals: true });
    const unknown = positionals.find((name) => !names.includes(name));
    if (unknown !== undefined) refuse(`There is no broker \`${unknown}\`: there are ${names.join(', ')}`);
    const shift = Number(values.shift ?? 0);
    if (!Number.isInteger(shift) || shift < 0) refuse('`--shift` is a number of ports');
    const chosen = brokers.filter((one) => positionals.length === 0 || positionals.includes(one.name));
    const beyond = chosen.find((one) => one.port + shift > 65_535);
    if (beyond)
      refuse(`With this \`--shift\` ${beyond.name} would be at port ${beyond.port + shift}: 65535 is the last`);
    return { chosen, shift };
  } catch (thrown) {
    return refuse(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** Somebody listens there. */
const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (taken: boolean) => () => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });

async function start(broker: Broker, shift: number): Promise<Running | undefined> {
  const port = broker.port + shift;
  const missing = await broker.missing();
  if (missing !== undefined) {
    comment(`${broker.name} is left out: ${missing}`);
    return undefined;
  }
  if (await isTaken(port)) {
    comment(`${broker.name} is left out: somebody listens on port ${port} already`);
    return undefined;
  }
  try {
    const running = await broker.start(port);
    for (const [name, value] of Object.entries(running.says)) say(`export ${name}='${value}'`);
    return running;
  } catch (thrown) {
    comment(`${broker.name} could not be started: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return undefined;
  }
}

const { chosen, shift } = wanted();
const running: Running[] = [];
let stopping: Promise<void> | undefined;

const stop = async (): Promise<void> => {
  await Promise.allSettled(running.map(({ server }) => server[Symbol.asyncDispose]()));
  process.exit(0);
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping ??= stop();
  });
}

for (const broker of chosen) {
  if (stopping) break;
  const one = await start(broker, shift);
  if (one) running.push(one);
}
if (running.length === 0) {
  process.stderr.write('Nothing was started.\n');
  process.exit(1);
}
comment('ready; Ctrl-C stops them and removes their data');
// Nothing else keeps this process: the servers are others.
setInterval(() => {}, 2 ** 30);
