import { renderTestsJson } from '../testing/report/json.ts';
import { renderJunit } from '../testing/report/junit.ts';
import { type FileReport, percentOf, totalsOf } from '../testing/report/report.ts';
import { renderTap } from '../testing/report/tap.ts';
import { renderFileText, renderSummaryText } from '../testing/report/text.ts';
import type { RunOptions } from '../testing/run.ts';
import { exitCode } from './exit-codes.ts';
import { colorful, print, say } from './output.ts';
import { testFiles } from './test-files.ts';
import { testFilesOf } from './test-threads.ts';
import { parse, UsageError } from './usage.ts';

const usage = `
dowel test [FILE…] [--filter TEXT] [--bail] [--format text|json|junit|tap] [--coverage] [--min-coverage PERCENT]
                    [--watch]

Runs tests that stand beside an integration (integration.test.yaml): without a server, without a network, in virtual
time. FILE may be a folder, or a pattern in quotes; without it all tests below this folder are run.

  --filter        only tests whose name has this text in it
  --bail          ends after the first test that fails
  --format        text for people (default), json, junit or tap
  --coverage      lists the steps that no test ran
  --min-coverage  fails when fewer steps than this ran, in percent
  --watch         runs them again whenever a file changes, until it is stopped

Exit codes: 0 all passed; 1 a test failed, or too few steps ran; 2 a file does not exist; 78 a test file, or an
integration, has mistakes.
`;

const formats = ['text', 'json', 'junit', 'tap'] as const;
type FormatName = (typeof formats)[number];

export async function command(args: readonly string[]): Promise<number> {
  const parsed = parse(args, {
    text: usage,
    options: {
      format: { type: 'string', short: 'f', default: 'text' },
      filter: { type: 'string' },
      bail: { type: 'boolean', default: false },
      coverage: { type: 'boolean', default: false },
      'min-coverage': { type: 'string' },
      watch: { type: 'boolean', default: false },
    },
    positionals: { min: 0, max: Number.POSITIVE_INFINITY },
  });
  if (!parsed) return exitCode.done;
  const format = parsed.values.format as FormatName;
  if (!formats.includes(format)) throw new UsageError(`--format takes ${formats.join(', ')}, not ${format}`);
  const least = percent(parsed.values['min-coverage']);
  const files = await testFiles(parsed.positionals);
  const { filter, bail } = parsed.values;
  const shown = {
    format,
    color: colorful(process.stdout),
    coverage: parsed.values.coverage || least !== undefined,
  };
  const run = (): Promise<TestRun> => runFiles(files, { filter, bail }, shown);
  if (parsed.values.watch) {
    const { watchTests } = await import('./test-watch.ts');
    await watchTests(run);
    return exitCode.done;
  }
  const { reports } = await run();
  if (totalsOf(reports).broken > 0) return exitCode.config;
  if (totalsOf(reports).failed > 0) return exitCode.findings;
  if (filter !== undefined && totalsOf(reports).passed === 0) throw new UsageError(`no test has ${filter} in its name`);
  if (least !== undefined && percentOf(reports) < least) {
    say(`dowel: ${percentOf(reports).toFixed(1)} % of the steps ran, and --min-coverage asks for ${least}`);
    return exitCode.findings;
  }
  return exitCode.done;
}

function percent(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+(\.\d+)?%?$/.test(text) && Number.parseFloat(text) <= 100) return Number.parseFloat(text);
  throw new UsageError(`--min-coverage takes a number from 0 to 100, not ${Number.isNaN(value) ? text : value}`);
}

interface Shown {
  readonly format: FormatName;
  readonly color: boolean;
  readonly coverage: boolean;
}

/** What came of all files, and which files all of it came from. */
export interface TestRun {
  readonly reports: readonly FileReport[];
  readonly files: readonly string[];
}

async function runFiles(files: readonly string[], options: RunOptions, shown: Shown): Promise<TestRun> {
  const since = performance.now();
  const reports: FileReport[] = [];
  const read = new Set<string>();
  for await (const tested of testFilesOf(files, options)) {
    for (const one of tested.files) read.add(one);
    const { report } = tested;
    reports.push(report);
    if (shown.format === 'text') print(renderFileText(report, shown));
    const { failed, broken } = totalsOf([report]);
    if (options.bail && failed + broken > 0) break;
  }
  if (shown.format === 'text') print(renderSummaryText(reports, performance.now() - since, shown));
  if (shown.format === 'json') print(renderTestsJson(reports));
  if (shown.format === 'junit') print(renderJunit(reports));
  if (shown.format === 'tap') print(renderTap(reports));
  return { reports, files: [...read] };
}
