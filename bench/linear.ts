/** What a kilobyte of JSON and of XML costs to read, to map and to write, from 1 kB to 1 MB. */
import { compileExpression } from '../src/expression/expression.ts';
import { formatNamed } from '../src/format/index.ts';
import { quantile } from './measure.ts';
import { jsonOrder, xmlOf, xmlOrder } from './payload.ts';

export interface Cost {
  /** `JSON, read` … */
  readonly work: string;
  readonly bytes: number;
  /** Microseconds of processor time. */
  readonly perKilobyte: number;
}

const sizes = [1_000, 10_000, 100_000, 1_000_000];

const mapping = `{
  "reference": orderId,
  "receiver": customer.name & ", " & customer.country,
  "lines": items.{ "article": sku, "text": $uppercase(name), "sum": quantity * price },
  "total": $sum(items.(quantity * price))
}`;

const xmlMapping = `{
  "reference": order.\`@id\`,
  "receiver": order.customer.\`#text\` & ", " & order.customer.\`@country\`,
  "lines": order.item.{ "article": \`@sku\`, "text": $uppercase(name), "sum": $number(quantity) * $number(price) },
  "total": $sum(order.item.($number(quantity) * $number(price)))
}`;

function format(name: 'json' | 'xml') {
  const found = formatNamed(name);
  if (!found) throw new Error(`there is no format ${name}`);
  return found;
}

/** A job on a body of `bytes`, and how large that body is. */
type Work = (bytes: number) => { readonly size: number; readonly run: () => unknown };

function mapped(source: string, value: unknown): () => unknown {
  const expression = compileExpression(source);
  const scope = { body: () => value, variable: () => undefined, now: Date.now, random: Math.random, uuid: () => '' };
  return () => {
    const result = expression.evaluate(scope);
    if (result instanceof Promise) throw new Error('the mapping was interpreted, not compiled');
    return result;
  };
}

const jsonBytes = (bytes: number): Buffer => Buffer.from(JSON.stringify(jsonOrder(bytes)));
const xmlBytes = (bytes: number): Buffer => Buffer.from(xmlOf(xmlOrder(bytes)));

const works: Readonly<Record<string, Work>> = {
  'JSON, read': (bytes) => {
    const body = jsonBytes(bytes);
    return { size: body.length, run: () => format('json').read(body, undefined) };
  },
  'JSON, mapped': (bytes) => {
    const body = jsonBytes(bytes);
    return { size: body.length, run: mapped(mapping, format('json').read(body, undefined)) };
  },
  'JSON, written': (bytes) => {
    const body = jsonBytes(bytes);
    const value = format('json').read(body, undefined);
    return { size: body.length, run: () => format('json').write(value) };
  },
  'XML, read': (bytes) => {
    const body = xmlBytes(bytes);
    return { size: body.length, run: () => format('xml').read(body, undefined) };
  },
  'XML, mapped': (bytes) => {
    const body = xmlBytes(bytes);
    return { size: body.length, run: mapped(xmlMapping, format('xml').read(body, undefined)) };
  },
  'XML, written': (bytes) => {
    const body = xmlBytes(bytes);
    const value = format('xml').read(body, undefined);
    return { size: body.length, run: () => format('xml').write(value) };
  },
};

/** Microseconds of one run, in a batch that takes about `ms`. */
function timed(run: () => unknown, ms: number): number {
  let count = 0;
  const end = performance.now() + ms;
  const before = process.cpuUsage();
  do {
    run();
    count += 1;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

/** Measures everything in this process; sizes take turns, and the lower quartile of the slices counts. */
export function measureCosts(slices: number, sliceMs: number): readonly Cost[] {
  return Object.entries(works).flatMap(([work, prepare]) => {
    const jobs = sizes.map((bytes) => ({ ...prepare(bytes), bytes, times: [] as number[] }));
    for (const job of jobs) timed(job.run, 2 * sliceMs);
    for (let slice = 0; slice < slices; slice += 1) {
      for (const job of jobs) job.times.push(timed(job.run, sliceMs));
    }
    return jobs.map(({ bytes, size, times }) => ({
      work,
      bytes,
      perKilobyte: quantile(times, 0.25) / (size / 1000),
    }));
  });
}

if (import.meta.main) {
  process.on('message', ({ slices, sliceMs }: { readonly slices: number; readonly sliceMs: number }) => {
    process.send?.({ costs: measureCosts(slices, sliceMs) });
  });
  process.on('disconnect', () => process.exit());
}
