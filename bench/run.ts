import { readFileSync, writeFileSync } from 'node:fs';
import { Child } from './child.ts';
import type { Cost } from './linear.ts';
import { Bench, type Row } from './measure.ts';
import { brokers } from './messaging/index.ts';
import { type MessagingRow, measureMessaging } from './messaging/messaging.ts';
import { type Options, readOptions, UsageError, usage } from './options.ts';
import { measureOverload } from './overload.ts';
import { measurePolicies } from './policies.ts';
import {
  costTable,
  loadTable,
  machine,
  messagingTable,
  overloadTable,
  policyTable,
  type Results,
  sizeText,
  spliced,
  startUpTable,
  watchingTable,
  yardstick,
} from './report.ts';
import { scenarios } from './scenarios.ts';
import { measureStartUp } from './start-up.ts';
import { byHand } from './systems/by-hand.ts';
import { dowel } from './systems/dowel.ts';
import { peers } from './systems/peers.ts';
import type { System } from './systems/system.ts';
import { measureWatching } from './watching.ts';

const page = new URL('../docs/performance.md', import.meta.url);

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** Dowel, the yardstick, and the peers that were asked for and are here. */
function chosen(options: Options): readonly System[] {
  const found = options.peers.map((name) => {
    const peer = peers.find((one) => one.name === name);
    if (!peer) throw new UsageError(`there is no peer ${name}; there are ${peers.map((one) => one.name).join(', ')}`);
    return peer;
  });
  for (const peer of found) {
    const missing = peer.missing();
    if (missing !== undefined) say(`SKIPPED ${peer.title}: ${missing}`);
  }
  return [dowel, byHand, ...found.filter((peer) => peer.missing() === undefined)];
}

function tellRow({ title, bytes, figures }: Row): void {
  const beside = figures[yardstick];
  for (const [name, { cpu, perSecond, p99 }] of Object.entries(figures)) {
    const ratio = beside && name !== yardstick ? ` = ${(cpu / beside.cpu).toFixed(2)} × by hand` : '';
    const what = `${title}, ${sizeText(bytes)}`.padEnd(34);
    say(
      `${what}${name.padEnd(10)}${cpu.toFixed(0).padStart(6)} µs${ratio.padEnd(18)} ${perSecond.toFixed(0)}/s, p99 ${p99.toFixed(1)} ms`,
    );
  }
}

async function measureLoad(options: Options, systems: readonly System[]): Promise<readonly Row[]> {
  const wanted = scenarios.filter(({ name }) => options.names.includes(name));
  if (wanted.length === 0) return [];
  await using bench = await Bench.open();
  const rows: Row[] = [];
  for (const scenario of wanted) rows.push(...(await bench.measure(scenario, systems, options.plan, tellRow)));
  return rows;
}

/** Brokers that are not installed are named, and left out. */
async function measureBrokers({ names, quick }: Options): Promise<readonly MessagingRow[]> {
  const plan = {
    bytes: 1000,
    ...(quick ? { messages: 300, slices: 1, warmUp: 0 } : { messages: 20_000, slices: 6, warmUp: 5 }),
  };
  const rows: MessagingRow[] = [];
  for (const broker of brokers.filter(({ name }) => names.includes(name))) {
    const missing = broker.missing();
    if (missing === undefined) rows.push(await measureMessaging(broker, plan));
    else say(`SKIPPED ${broker.title}: ${missing}`);
  }
  return rows;
}

/** In a process of its own, which has done nothing else before. */
async function measureLinear({ quick }: Options): Promise<readonly Cost[]> {
  const child = new Child(new URL('linear.ts', import.meta.url), { patience: 600_000 });
  try {
    const { costs } = await child.ask<{ readonly costs: readonly Cost[] }>(
      quick ? { slices: 2, sliceMs: 10 } : { slices: 8, sliceMs: 200 },
    );
    return costs;
  } finally {
    await child.stop();
  }
}

function writePage(
  { rows, costs, policies, watching, overload, startUp, messaging }: Results,
  systems: readonly System[],
  options: Options,
): void {
  let text = readFileSync(page, 'utf8');
  const { slices, sliceMs, connections } = options.plan;
  const how = `\`npm run bench\` on ${machine()}; ${slices} slices of ${sliceMs / 1000} s, ${connections} requests under way.`;
  if (rows.length > 0) text = spliced(text, 'load', `${how}\n\n${loadTable(rows, systems)}`);
  if (costs.length > 0) text = spliced(text, 'linear', costTable(costs));
  if (policies) text = spliced(text, 'policies', policyTable(policies));
  if (watching) text = spliced(text, 'watching', watchingTable(watching));
  if (overload.length > 0) text = spliced(text, 'overload', overloadTable(overload));
  if (startUp) text = spliced(text, 'start-up', startUpTable(startUp));
  if (messaging.length > 0) text = spliced(text, 'messaging', messagingTable(messaging));
  writeFileSync(page, text);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    process.stdout.write(usage);
    return;
  }
  const systems = chosen(options);
  const rows = await measureLoad(options, systems);
  const costs = options.names.includes('linear') ? await measureLinear(options) : [];
  const policies = options.names.includes('policies') ? await measurePolicies(options.plan) : undefined;
  const watching = options.names.includes('watching') ? await measureWatching(options.plan) : undefined;
  const overload = options.names.includes('overload')
    ? await measureOverload(options.quick ? { warmUpMs: 200, ms: 300 } : { warmUpMs: 5000, ms: 10_000 })
    : [];
  const startUp = options.names.includes('start-up') ? await measureStartUp(options.quick ? 1 : 7) : undefined;
  const messaging = await measureBrokers(options);
  const results: Results = { rows, costs, policies, watching, overload, startUp, messaging };
  if (options.markdown) writePage(results, systems, options);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ machine: machine(), plan: options.plan, ...results }, null, 2)}\n`);
    return;
  }
  const tables = [
    rows.length > 0 ? loadTable(rows, systems) : undefined,
    costs.length > 0 ? costTable(costs) : undefined,
    policies && policyTable(policies),
    watching && watchingTable(watching),
    overload.length > 0 ? overloadTable(overload) : undefined,
    startUp && startUpTable(startUp),
    messaging.length > 0 ? messagingTable(messaging) : undefined,
  ];
  process.stdout.write(`${tables.filter((one) => one !== undefined).join('\n\n')}\n`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof TypeError && 'code' in error)) throw error;
  say(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
