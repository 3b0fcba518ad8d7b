/** JUnit XML, as build servers read it. */
import type { TestResult } from '../run.ts';
import { type FileReport, totalsOf } from './report.ts';
import { inShort, sentenceOf } from './values.ts';

export function renderJunit(reports: readonly FileReport[]): string {
  const { passed, failed, broken } = totalsOf(reports);
  const suites = reports.map(suite).join('');
  const counts = `tests="${passed + failed + broken}" failures="${failed}" errors="${broken}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts}>\n${suites}</testsuites>\n`;
}

function suite({ file, broken, result }: FileReport): string {
  const failures = result.tests.filter((test) => test.differences.length > 0).length;
  const errors = broken.length > 0 ? 1 : 0;
  const seconds = inSeconds(result.tests.reduce((sum, test) => sum + test.ms, 0));
  const cases = result.tests.map((test) => testCase(test, file)).join('');
  const found = broken.flatMap((one) =>
    one.diagnostics.map((each) => `${one.file}:${each.line}:${each.column} ${each.severity}: ${each.message}`),
  );
  const error =
    errors === 0
      ? ''
      : `    <testcase name="the definitions are valid" classname="${escaped(file)}">\n      <error message="${escaped(found[0] ?? '')}">${escaped(found.join('\n'))}</error>\n    </testcase>\n`;
  const counts = `tests="${result.tests.length + errors}" failures="${failures}" errors="${errors}" skipped="0"`;
  return `  <testsuite name="${escaped(file)}" ${counts} time="${seconds}">\n${error}${cases}  </testsuite>\n`;
}

function testCase({ name, line, differences, ms }: TestResult, file: string): string {
  const head = `    <testcase name="${escaped(name)}" classname="${escaped(file)}" file="${escaped(file)}" line="${line}" time="${inSeconds(ms)}"`;
  const [first] = differences;
  if (!first) return `${head}/>\n`;
  const lines = differences.map((one) => {
    const both = one.message === undefined || one.actual === undefined ? '' : `: ${inShort(one.actual)}`;
    return `${file}:${one.line}:${one.column} ${sentenceOf(one)}${both}`;
  });
  return `${head}>\n      <failure message="${escaped(sentenceOf(first))}">${escaped(lines.join('\n'))}</failure>\n    </testcase>\n`;
}

const inSeconds = (ms: number): string => (ms / 1000).toFixed(3);

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** What XML 1.0 cannot hold is left out. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to take out
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, ' ')
    .replaceAll(/[&<>"]/g, (char) => entities[char] ?? char)
    .replaceAll('\n', '&#10;');
