/** Runs the tests of a file, one after the other, each in a world of its own. */
import type { Position } from '../integration/position.ts';
import type { Connector } from '../sdk.ts';
import type { Difference } from './compare.ts';
import { Coverage, type StepCount } from './coverage.ts';
import { judge } from './judge.ts';
import type { PreparedTests, Suite } from './prepare.ts';
import { isTrouble, lineText, type RecordedCall } from './recording.ts';
import { rehearse } from './rehearse.ts';

export interface PlacedDifference extends Difference, Position {}

export interface TestResult extends Position {
  readonly name: string;
  /** Absolute path of the integration. */
  readonly integration: string;
  readonly differences: readonly PlacedDifference[];
  /** All that went out, in order. */
  readonly calls: readonly RecordedCall[];
  /** What the integration warned of, or reported as an error, in order: why a message failed is among it. */
  readonly trouble: readonly string[];
  /** Milliseconds of this machine's time. */
  readonly ms: number;
}

/** A step with its place in the integration. */
export interface CoveredStep extends StepCount, Position {}

export interface FileResult {
  readonly tests: readonly TestResult[];
  /** Tests that were not run, as they were not asked for. */
  readonly skipped: number;
  readonly coverage: readonly { readonly integration: string; readonly steps: readonly CoveredStep[] }[];
}

export interface RunOptions {
  /** Only tests whose name has this in it. */
  readonly filter?: string | undefined;
  /** Ends after the first test that fails. */
  readonly bail?: boolean;
}

export async function runTests(
  prepared: PreparedTests,
  connectors: Readonly<Record<string, Connector>>,
  options: RunOptions = {},
): Promise<FileResult> {
  const tests: TestResult[] = [];
  const coverage: { integration: string; steps: readonly CoveredStep[] }[] = [];
  let skipped = 0;
  for (const suite of prepared.suites) {
    const counted = new Coverage();
    for (const plan of suite.plans) {
      const wanted = options.filter === undefined || plan.name.includes(options.filter);
      if (!wanted || (options.bail && tests.some((one) => one.differences.length > 0))) {
        skipped++;
        continue;
      }
      tests.push(await runTest(prepared, suite, plan, counted, connectors));
    }
    coverage.push({ integration: suite.file, steps: placed(suite, counted) });
  }
  return { tests, skipped, coverage };
}

async function runTest(
  { read }: PreparedTests,
  suite: Suite,
  plan: Suite['plans'][number],
  counted: Coverage,
  connectors: Readonly<Record<string, Connector>>,
): Promise<TestResult> {
  const since = performance.now();
  const place = (pointer: string, at: 'key' | 'value' = 'value'): Position => {
    const { line, column } = read.locate({ severity: 'error', code: '', message: '', pointer, at });
    return { line, column };
  };
  let calls: readonly RecordedCall[] = [];
  let trouble: readonly string[] = [];
  let differences: readonly Difference[];
  try {
    const seen = await rehearse(plan, { connectors, program: suite.compile(counted.watch) });
    calls = seen.recording.calls;
    trouble = seen.recording.lines.filter(isTrouble).map(lineText);
    differences = await judge(plan, seen);
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    differences = [{ pointer: plan.pointer, what: '', message: `The integration cannot be run: ${detail}` }];
  }
  return {
    name: plan.name,
    integration: suite.file,
    ...place(`${plan.pointer}/name`),
    differences: differences.map((one) => ({ ...one, ...place(one.pointer) })),
    calls,
    trouble,
    ms: performance.now() - since,
  };
}

function placed(suite: Suite, counted: Coverage): readonly CoveredStep[] {
  const byPlace = new Map<string, CoveredStep>();
  for (const step of counted.steps) {
    const { line, column } = suite.locate({ severity: 'error', code: '', message: '', pointer: step.pointer });
    const at = `${line}:${column}`;
    // What an alias repeats is one step for whoever reads the file.
    const before = byPlace.get(at);
    byPlace.set(at, { ...(before ?? step), line, column, count: step.count + (before?.count ?? 0) });
  }
  return [...byPlace.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}
