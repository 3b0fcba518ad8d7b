/** For programs. */
import { callTitle } from '../recording.ts';
import { type FileReport, percentOf, stepsOf, totalsOf } from './report.ts';
import { sentenceOf } from './values.ts';

export function renderTestsJson(reports: readonly FileReport[]): string {
  const files = reports.map(({ file, broken, result }) => ({
    file,
    diagnostics: broken,
    tests: result.tests.map(({ name, integration, line, column, differences, calls, ms }) => ({
      name,
      integration,
      line,
      column,
      passed: differences.length === 0,
      ms: Math.round(ms * 100) / 100,
      differences: differences.map((one) => ({
        pointer: one.pointer,
        line: one.line,
        column: one.column,
        what: one.what,
        message: sentenceOf(one),
        expected: one.expected,
        actual: one.actual,
      })),
      calls: calls.map((call) => ({
        endpoint: call.endpoint,
        call: callTitle(call),
        [call.connector]: call.operation,
        body: call.body,
        headers: call.headers,
        at: call.at,
        outcome: call.outcome,
      })),
    })),
  }));
  const coverage = {
    percent: Math.round(percentOf(reports) * 10) / 10,
    integrations: stepsOf(reports).map(({ integration, steps }) => ({
      integration,
      steps: steps.map(({ pointer, kind, name, line, column, count }) => ({
        pointer,
        kind,
        name,
        line,
        column,
        count,
      })),
    })),
  };
  return `${JSON.stringify({ ...totalsOf(reports), files, coverage }, null, 2)}\n`;
}
