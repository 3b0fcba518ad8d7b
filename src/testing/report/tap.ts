/** Test Anything Protocol, version 14. */
import type { FileReport } from './report.ts';
import { oneLine, sentenceOf } from './values.ts';

export function renderTap(reports: readonly FileReport[]): string {
  const lines = reports.flatMap(({ file, broken, result }) => [
    ...broken.map((one) => ({
      ok: false,
      title: `${one.file}: the definition is valid`,
      details: one.diagnostics.map((each) => `${one.file}:${each.line}:${each.column} ${each.message}`),
    })),
    ...result.tests.map((test) => ({
      ok: test.differences.length === 0,
      title: `${file}: ${test.name}`,
      details: test.differences.map((one) => `${file}:${one.line}:${one.column} ${sentenceOf(one)}`),
    })),
  ]);
  const points = lines.map(({ ok, title, details }, index) => {
    const point = `${ok ? 'ok' : 'not ok'} ${index + 1} - ${described(title)}\n`;
    return ok
      ? point
      : `${point}  ---\n  findings:\n${details.map((one) => `    - ${JSON.stringify(oneLine(one))}\n`).join('')}  ...\n`;
  });
  return `TAP version 14\n1..${lines.length}\n${points.join('')}`;
}

/** `#` would begin a directive. */
const described = (text: string): string => oneLine(text).replaceAll('\\', '\\\\').replaceAll('#', '\\#');
