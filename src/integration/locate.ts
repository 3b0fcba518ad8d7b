import type { Finding } from '../core/written.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Span, YamlDocument } from './yaml.ts';

/** Gives a finding its line and column: at its own place, or at the nearest one around it that was written. */
export function locate(document: YamlDocument, finding: Finding, placed?: Span): Diagnostic {
  const { severity, code, message, pointer, suggestion } = finding;
  const span = placed ?? spanOf(document, finding);
  const start = document.position(span.start);
  const end = document.position(Math.max(endOf(document, finding, span), span.start));
  return {
    severity,
    code,
    message,
    pointer,
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** What stands for a key that is missing, or that has none, is marked on its first line only. */
function endOf(document: YamlDocument, finding: Finding, span: Span): number {
  return finding.at === 'key' ? Math.min(span.end, document.endOfLine(span.start)) : span.end;
}

function spanOf(document: YamlDocument, finding: Finding): Span {
  const { offset, length } = finding;
  for (let pointer = finding.pointer; ; pointer = pointer.slice(0, pointer.lastIndexOf('/'))) {
    const own = pointer === finding.pointer;
    const at = own ? (finding.at ?? 'value') : 'key';
    const span = document.span(pointer, at, own ? offset : undefined);
    if (span && own && offset !== undefined && length !== undefined) {
      // The last character's place, not a sum: inside quotes and blocks, one character may be written as several.
      const last = document.span(pointer, at, offset + Math.max(0, length - 1));
      return { start: span.start, end: Math.max(last?.end ?? span.end, span.end) };
    }
    if (span) return span;
    if (pointer === '') return { start: 0, end: 0 };
  }
}
