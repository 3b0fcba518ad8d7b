/** For people: every test in a line, and all that is known of those that failed. */
import { relative } from 'node:path';
import { renderText } from '../../integration/render.ts';
import { callTitle, type RecordedCall } from '../recording.ts';
import type { TestResult } from '../run.ts';
import { type FileReport, percentOf, stepsOf, totalsOf } from './report.ts';
import { inShort, oneLine, sentenceOf } from './values.ts';

const codes = { red: '\x1b[31m', green: '\x1b[32m', bold: '\x1b[1m', dim: '\x1b[2m', off: '\x1b[0m' } as const;
type Paint = (style: keyof typeof codes, text: string) => string;

const callsShown = 30;
const linesShown = 10;
const stepsShown = 50;

export interface TextOptions {
  readonly color: boolean;
  /** The steps that did not run are listed. */
  readonly coverage: boolean;
}

export function renderFileText(report: FileReport, options: TextOptions): string {
  const paint = painter(options);
  if (report.broken.length > 0) {
    return `${report.broken.map((one) => renderText(one.diagnostics, one.file, options)).join('\n\n')}\n`;
  }
  const several = new Set(report.result.tests.map((test) => test.integration)).size > 1;
  const tests = report.result.tests.map((test) => testText(test, report.file, several, paint));
  return `${paint('bold', report.file)}\n${tests.join('')}`;
}

function testText(test: TestResult, file: string, several: boolean, paint: Paint): string {
  const failed = test.differences.length > 0;
  const mark = failed ? paint('red', '✗') : paint('green', '✓');
  const where = several ? paint('dim', ` (${near(test.integration)})`) : '';
  const head = `  ${mark} ${oneLine(test.name)}${where}${paint('dim', ` ${Math.max(1, Math.round(test.ms))} ms`)}\n`;
  if (!failed) return head;
  const lines = test.differences.flatMap((one) => {
    const place = `${file}:${one.line}:${one.column}`;
    const both = one.message === undefined;
    return [
      `      ${paint('bold', place)}`,
      ...(both
        ? [
            `        ${one.what}`,
            `          expected  ${paint('green', inShort(one.expected))}`,
            `          actual    ${paint('red', inShort(one.actual))}`,
          ]
        : [
            `        ${paint('red', sentenceOf(one))}`,
            ...(one.actual === undefined ? [] : [`          actual    ${inShort(one.actual)}`]),
          ]),
    ];
  });
  return `${head}${lines.join('\n')}\n${callsText(test.calls, paint)}${troubleText(test.trouble, paint)}`;
}

function troubleText(trouble: readonly string[], paint: Paint): string {
  if (trouble.length === 0) return '';
  const lines = trouble.slice(0, linesShown).map((one) => `        ${oneLine(one)}`);
  const more = trouble.length > linesShown ? [`        … and ${trouble.length - linesShown} more`] : [];
  return `${paint('dim', ['      what was logged:', ...lines, ...more].join('\n'))}\n`;
}

function callsText(calls: readonly RecordedCall[], paint: Paint): string {
  if (calls.length === 0) return `      ${paint('dim', 'nothing was called')}\n`;
  const lines = calls.slice(0, callsShown).map((call) => {
    const title = [call.endpoint, callTitle(call)].filter((text) => text !== '').join(' ');
    const body = call.body === undefined ? '' : ` ${shortBody(call.body)}`;
    return `        ${String(Math.round(call.at)).padStart(6)} ms  ${oneLine(title)}${body} → ${call.outcome === '' ? 'no answer' : call.outcome}`;
  });
  const more = calls.length > callsShown ? [`        … and ${calls.length - callsShown} more`] : [];
  return `${paint('dim', ['      what was called:', ...lines, ...more].join('\n'))}\n`;
}

const shortBody = (body: unknown): string => {
  const text = inShort(body);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
};

/** The end: what did not run, and how many tests there were. */
export function renderSummaryText(reports: readonly FileReport[], ms: number, options: TextOptions): string {
  const paint = painter(options);
  const { passed, failed, skipped, broken } = totalsOf(reports);
  const counts = [
    ...(failed > 0 ? [paint('red', `${failed} failed`)] : []),
    `${passed} passed`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(broken > 0 ? [paint('red', `${broken} ${broken === 1 ? 'file' : 'files'} with mistakes`)] : []),
  ];
  const coverage = options.coverage ? coverageText(reports, paint) : '';
  return `${coverage}\n${counts.join(', ')} (${Math.round(ms)} ms)\n`;
}

function coverageText(reports: readonly FileReport[], paint: Paint): string {
  const missing = stepsOf(reports).flatMap(({ integration, steps }) =>
    steps
      .filter((step) => step.count === 0)
      .map((step) => `  ${near(integration)}:${step.line}:${step.column}  ${oneLine(step.name ?? step.kind)}`),
  );
  const lines = missing.slice(0, stepsShown);
  const more = missing.length > stepsShown ? [`  … and ${missing.length - stepsShown} more`] : [];
  const head = `${percentOf(reports).toFixed(1)} % of the steps ran`;
  const list = missing.length === 0 ? [] : ['Steps that no test ran:', ...lines, ...more];
  return `\n${[paint('bold', head), ...list].join('\n')}\n`;
}

const near = (path: string): string => relative(process.cwd(), path) || '.';

const painter =
  ({ color }: Pick<TextOptions, 'color'>): Paint =>
  (style, text) =>
    color ? `${codes[style]}${text}${codes.off}` : text;
