import { cpus, totalmem } from 'node:os';
import type { Cost } from './linear.ts';
import type { Figures, Row } from './measure.ts';
import type { MessagingRow } from './messaging/messaging.ts';
import type { Overload } from './overload.ts';
import type { PolicyCost } from './policies.ts';
import type { StartUp } from './start-up.ts';
import type { System } from './systems/system.ts';
import type { WatchingCost } from './watching.ts';

export interface Results {
  readonly rows: readonly Row[];
  readonly costs: readonly Cost[];
  readonly policies: PolicyCost | undefined;
  readonly watching: WatchingCost | undefined;
  readonly overload: readonly Overload[];
  readonly startUp: StartUp | undefined;
  readonly messaging: readonly MessagingRow[];
}

/** The system that all others are compared with. */
export const yardstick = 'by-hand';

export const sizeText = (bytes: number): string =>
  bytes >= 1_000_000 ? `${bytes / 1_000_000} MB` : bytes >= 1000 ? `${bytes / 1000} kB` : `${bytes} B`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((cell, index) => Math.max(cell.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => (index < 2 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, index) => (index < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
};

const number = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

const ratioOf = (figures: Figures | undefined, beside: Figures | undefined): string =>
  figures && beside ? number(figures.cpu / beside.cpu, 2) : '';

/** Processor time first, because it hardly depends on how many processors there are and what else they do. */
export function loadTable(rows: readonly Row[], systems: readonly System[]): string {
  const others = systems.filter((system) => system.name !== yardstick);
  const head = [
    'job',
    'size',
    ...others.flatMap(({ title }) => [`${title}, CPU µs`, 'ratio']),
    'by hand, CPU µs',
    ...systems.flatMap(({ title }) => [`${title}, requests/s`, 'p99 ms']),
  ];
  const cells = rows.map(({ title, bytes, figures }) => [
    title,
    sizeText(bytes),
    ...others.flatMap(({ name }) => [
      figures[name] ? number(figures[name].cpu) : '–',
      ratioOf(figures[name], figures[yardstick]),
    ]),
    figures[yardstick] ? number(figures[yardstick].cpu) : '–',
    ...systems.flatMap(({ name }) =>
      figures[name] ? [number(figures[name].perSecond), number(figures[name].p99, 1)] : ['–', '–'],
    ),
  ]);
  return table(head, cells);
}

/** How far a work's cost for a kilobyte is from its mean, at most, over all sizes: `+12 %`. */
export function spreadOf(costs: readonly Cost[]): number {
  const values = costs.map((cost) => cost.perKilobyte);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.max(...values.map((value) => Math.abs(value / mean - 1)));
}

export function costTable(costs: readonly Cost[]): string {
  const works = [...new Set(costs.map((cost) => cost.work))];
  const sizes = [...new Set(costs.map((cost) => cost.bytes))];
  const head = ['work', 'unit', ...sizes.map(sizeText), 'off its mean, at most', 'MB/s at 100 kB'];
  const rows = works.map((work) => {
    const own = costs.filter((cost) => cost.work === work);
    const at100 = own.find((cost) => cost.bytes === 100_000)?.perKilobyte ?? Number.NaN;
    return [
      work,
      'CPU µs/kB',
      ...own.map((cost) => number(cost.perKilobyte, 1)),
      `± ${number(100 * spreadOf(own))} %`,
      number(1000 / at100),
    ];
  });
  return table(head, rows);
}

export function startUpTable({ cpuMs, ms, rssMb }: StartUp): string {
  return table(
    ['`dowel run integrations/order/integration.yaml`', 'measured'],
    [
      ['processor time until ready', `${number(cpuMs)} ms`],
      ['time until ready', `${number(ms)} ms`],
      ['memory when idle (RSS)', `${number(rssMb)} MB`],
    ],
  );
}

export function policyTable({ without, withAll }: PolicyCost): string {
  return table(
    ['pass-through, 1 kB', 'CPU µs for a request'],
    [
      ['no policy', number(without, 1)],
      ['all of them', number(withAll, 1)],
      ['difference', number(withAll - without, 1)],
    ],
  );
}

export function watchingTable({ without, defaults, lines }: WatchingCost): string {
  const row = (what: string, cost: number): readonly string[] => [what, number(cost, 1), number(cost / without, 2)];
  return table(
    ['pass-through, 1 kB', 'CPU µs for a request', 'ratio'],
    [
      row('nothing: no metrics, no log, no admin server', without),
      row('the defaults', defaults),
      row('and a line for each message and each call (`LOG_CALLS=info`)', lines),
    ],
  );
}

export function overloadTable(cases: readonly Overload[]): string {
  const head = [
    'limits',
    'answered, of what the system behind can do',
    'rejected after, ms (median)',
    'answered after, ms (p99)',
    'other failures',
    'memory idle, MB',
    'at most, MB',
  ];
  return table(
    head,
    cases.map(({ limits, goodput, outcome, idleMb, peakMb }) => [
      limits,
      `${number(100 * goodput)} %`,
      number(outcome.rejectedMedian, 1),
      number(outcome.answeredP99),
      number(outcome.failed),
      number(idleMb),
      number(peakMb),
    ]),
  );
}

export function messagingTable(rows: readonly MessagingRow[]): string {
  const head = [
    'from a queue, mapped, to another one',
    'size',
    'Dowel, messages/s',
    'by hand, messages/s',
    'ratio',
    'Dowel, CPU µs',
    'by hand, CPU µs',
  ];
  return table(
    head,
    rows.map(({ title, bytes, dowel, byHand }) => [
      title,
      sizeText(bytes),
      number(dowel.perSecond),
      number(byHand.perSecond),
      number(dowel.perSecond / byHand.perSecond, 2),
      number(dowel.cpu, 1),
      number(byHand.cpu, 1),
    ]),
  );
}

/** Of the machine only its class: what others need to compare. */
export function machine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${memory} GiB, ${process.platform}, Node ${process.versions.node}`;
}

/** Replaces what stands between `<!-- bench:name -->` and `<!-- /bench:name -->`. */
export function spliced(page: string, name: string, text: string): string {
  const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const from = page.indexOf(open);
  const to = page.indexOf(close);
  if (from < 0 || to < from) throw new Error(`the page has no place for ${name}`);
  return `${page.slice(0, from + open.length)}\n${text}\n${page.slice(to)}`;
}
