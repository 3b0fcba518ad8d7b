import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { measureCosts } from '../../bench/linear.ts';
import { Bench, type Plan, type Row } from '../../bench/measure.ts';
import { readOptions, UsageError } from '../../bench/options.ts';
import { measureOverload } from '../../bench/overload.ts';
import { measurePolicies } from '../../bench/policies.ts';
import { loadTable, spliced } from '../../bench/report.ts';
import { scenarios } from '../../bench/scenarios.ts';
import { byHand } from '../../bench/systems/by-hand.ts';
import { dowel } from '../../bench/systems/dowel.ts';
import type { System } from '../../bench/systems/system.ts';
import { measureWatching } from '../../bench/watching.ts';
import { root } from '../support/child-process.ts';

const tiny: Plan = { sizes: [1000, 100_000], slices: 1, sliceMs: 20, warmUpMs: 5, connections: 2 };

describe('bench', () => {
  let bench: Bench;
  before(async () => {
    bench = await Bench.open();
  });
  after(() => bench[Symbol.asyncDispose]());

  for (const scenario of scenarios) {
    test(`${scenario.name} gives the right answer, by Dowel and by hand, and is measured`, async () => {
      const told: Row[] = [];
      // The answers are checked before anything is measured; a wrong one, or a refused request, throws.
      const rows = await bench.measure(scenario, [dowel, byHand], tiny, (row) => told.push(row));
      assert.deepEqual(told, rows);
      assert.deepEqual(
        rows.map((row) => row.bytes),
        tiny.sizes,
      );
      for (const { figures } of rows) {
        assert.deepEqual(Object.keys(figures), ['dowel', 'by-hand']);
        for (const { cpu, perSecond, p99 } of Object.values(figures)) assert.ok(cpu > 0 && perSecond > 0 && p99 > 0);
      }
      assert.match(loadTable(rows, [dowel, byHand]), new RegExp(`^\\| ${scenario.title} +\\| 100 kB`, 'm'));
    });
  }

  test('a wrong answer is no result', async () => {
    const [passThrough, , , mapping] = scenarios;
    assert.ok(passThrough && mapping);
    const wrong: System = { ...byHand, start: (_, backend) => byHand.start(mapping, backend) };
    await assert.rejects(
      bench.measure(passThrough, [wrong], tiny, () => {}),
      /by-hand gives a wrong answer to pass-through at 1000 bytes/,
    );
  });
});

test('bench: every work on JSON and XML is measured at every size', () => {
  const costs = measureCosts(1, 1);
  assert.equal(costs.length, 6 * 4);
  for (const { perKilobyte } of costs) assert.ok(perKilobyte > 0);
});

test('bench: policies, watching and overload are measured', async () => {
  const { without, withAll } = await measurePolicies(tiny);
  assert.ok(without > 0 && withAll > 0);
  for (const cost of Object.values(await measureWatching(tiny))) assert.ok(cost > 0);
  const cases = await measureOverload({ warmUpMs: 0, ms: 2_000 });
  assert.equal(cases.length, 2);
  for (const { goodput, outcome, peakMb } of cases) {
    assert.ok(goodput >= 0 && outcome.answered + outcome.rejected > 0 && peakMb > 0);
    assert.equal(outcome.failed, 0);
  }
});

test('bench: the command prints its tables, and refuses what it does not know', async () => {
  const run = promisify(execFile);
  const program = `${root}bench/run.ts`;
  const { stdout } = await run(process.execPath, [
    program,
    '--quick',
    '--slices',
    '1',
    '--only',
    'pass-through,start-up',
  ]);
  assert.match(stdout, /\| Pass-through +\| 1 kB +\|/);
  assert.match(stdout, /\| processor time until ready +\| \d+ ms +\|/);
  await assert.rejects(run(process.execPath, [program, '--only', 'nothing']), (error: { code?: unknown }) => {
    assert.equal(error.code, 2);
    return true;
  });
});

test('bench: options', () => {
  const options = readOptions(['--only', 'linear', '--sizes', '2kb,1mb', '--slices', '9', '--seconds', '0.5']);
  assert.deepEqual(options?.names, ['linear']);
  assert.deepEqual(options?.plan.sizes, [2000, 1_000_000]);
  assert.equal(options?.plan.slices, 9);
  assert.equal(options?.plan.sliceMs, 500);
  assert.equal(readOptions(['--help']), undefined);
  assert.throws(() => readOptions(['--sizes', 'big']), UsageError);
  assert.throws(() => readOptions(['--seconds', '0']), UsageError);
});

test('bench: figures replace those of before, and nothing else of the page', () => {
  const page = 'before\n<!-- bench:load -->\nold\n<!-- /bench:load -->\nafter\n';
  assert.equal(spliced(page, 'load', 'new'), 'before\n<!-- bench:load -->\nnew\n<!-- /bench:load -->\nafter\n');
  assert.throws(() => spliced(page, 'linear', 'new'), /no place for linear/);
});
