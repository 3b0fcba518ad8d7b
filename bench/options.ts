import { parseArgs } from 'node:util';
import type { Plan } from './measure.ts';
import { brokers } from './messaging/index.ts';
import { scenarios } from './scenarios.ts';

export const usage = `npm run bench -- [options]

Measures what Dowel costs beside the same jobs written by hand. Takes some minutes.

  --only NAMES    jobs, separated by commas: ${scenarios.map(({ name }) => name).join(', ')};
                  or linear, policies, watching, overload, start-up; or ${brokers.map(({ name }) => name).join(', ')}, where the
                  broker is installed (default: everything)
  --sizes LIST    sizes of the messages: 1kb,10kb,100kb
  --slices N      how often each system has its turn (6)
  --seconds N     how long a turn is (1)
  --warm-up N     seconds of load before a job is measured (10)
  --connections N how many requests are under way at any time (16)
  --peers NAMES   other systems to measure too, such as node-red; says how to install those that are missing
  --quick         few, short slices of small messages: does it work at all?
  --json          the figures as JSON on standard output
  --markdown      writes the figures into docs/performance.md
`;

export interface Options {
  readonly names: readonly string[];
  readonly plan: Plan;
  readonly peers: readonly string[];
  readonly quick: boolean;
  readonly json: boolean;
  readonly markdown: boolean;
}

/** Wrong usage: the message says what is right. */
export class UsageError extends Error {}

export const allNames: readonly string[] = [
  ...scenarios.map(({ name }) => name),
  'linear',
  'policies',
  'watching',
  'overload',
  'start-up',
  ...brokers.map(({ name }) => name),
];

function sizeOf(text: string): number {
  const match = /^(\d+)(b|kb|mb)$/i.exec(text.trim());
  if (!match) throw new UsageError(`${text} is not a size; write 1kb, 10kb or 100kb`);
  const unit = { b: 1, kb: 1000, mb: 1_000_000 }[(match[2] ?? '').toLowerCase()] ?? 1;
  return Number(match[1]) * unit;
}

function positive(text: string, what: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new UsageError(`--${what} takes a number above 0, not ${text}`);
  return value;
}

const list = (text: string): readonly string[] => text.split(',').map((one) => one.trim());

/** `undefined` when help was asked for. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      sizes: { type: 'string' },
      slices: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      connections: { type: 'string', default: '16' },
      peers: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick } = values;
  const names = values.only === undefined ? allNames : list(values.only);
  const unknown = names.find((name) => !allNames.includes(name));
  if (unknown !== undefined) throw new UsageError(`there is no ${unknown}; there are ${allNames.join(', ')}`);
  const sliceMs = 1000 * positive(values.seconds ?? (quick ? '0.1' : '1'), 'seconds');
  return {
    names,
    plan: {
      sizes: list(values.sizes ?? (quick ? '1kb' : '1kb,10kb,100kb')).map(sizeOf),
      slices: Math.ceil(positive(values.slices ?? (quick ? '2' : '6'), 'slices')),
      sliceMs,
      warmUpMs: 1000 * positive(values['warm-up'] ?? (quick ? '0.1' : '10'), 'warm-up'),
      connections: Math.ceil(positive(values.connections, 'connections')),
    },
    peers: values.peers === undefined ? [] : list(values.peers),
    quick,
    json: values.json,
    markdown: values.markdown,
  };
}
