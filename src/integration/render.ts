import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Diagnostic } from './diagnostic.ts';
import { snippet } from './snippet.ts';
import { decode } from './text.ts';

/** What was found in one file. */
export interface Checked {
  /** As the person called it. */
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
}

const paint = { error: '\x1b[31m', warning: '\x1b[33m', bold: '\x1b[1m', dim: '\x1b[2m', off: '\x1b[0m' } as const;

/** For people: place, message, the line in question, and a count. */
export function renderText(
  diagnostics: readonly Diagnostic[],
  file: string,
  options: { readonly color: boolean },
): string {
  const lines = linesOf(file);
  const on = (style: keyof typeof paint, text: string): string =>
    options.color ? `${paint[style]}${text}${paint.off}` : text;
  const blocks = diagnostics.map((one) => {
    const place = on('bold', `${file}:${one.line}:${one.column}`);
    const head = `${place} ${on(one.severity, one.severity)}: ${oneLine(one.message)}`;
    const code = on('dim', `      ${one.pointer === '' ? '' : `at ${oneLine(one.pointer)} `}[${one.code}]`);
    const source = snippet(lines, one).map((line) => `      ${line.caret ? on(one.severity, line.text) : line.text}`);
    return [head, ...source, code].join('\n');
  });
  return [...blocks, count(diagnostics)].join('\n\n');
}

function count(diagnostics: readonly Diagnostic[]): string {
  const of = (severity: Diagnostic['severity']): string => {
    const number = diagnostics.filter((one) => one.severity === severity).length;
    return number === 0 ? '' : `${number} ${severity}${number === 1 ? '' : 's'}`;
  };
  return [of('error'), of('warning')].filter((text) => text !== '').join(', ');
}

// A file may hold anything, and what is printed must not steer the terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to take out
const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');

function linesOf(file: string): readonly string[] {
  try {
    return (decode(readFileSync(file)) ?? '').split(/\r\n|\r|\n/);
  } catch {
    return [];
  }
}

/** For programs: the shape that the language guide promises. */
export function renderJson(checked: readonly Checked[]): string {
  const all = checked.flatMap((one) => one.diagnostics);
  const files = checked.map(({ file, diagnostics }) => ({ file, diagnostics }));
  const errors = all.filter((one) => one.severity === 'error').length;
  return `${JSON.stringify({ files, errors, warnings: all.length - errors }, null, 2)}\n`;
}

/** SARIF 2.1.0, for code scanning. */
export function renderSarif(checked: readonly Checked[], version: string): string {
  const codes = [...new Set(checked.flatMap((one) => one.diagnostics.map((each) => each.code)))].sort();
  const results = checked.flatMap(({ file, diagnostics }) =>
    diagnostics.map((one) => ({
      ruleId: one.code,
      ruleIndex: codes.indexOf(one.code),
      level: one.severity,
      message: { text: one.message },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: uriOf(file) },
            region: {
              startLine: one.line,
              startColumn: one.column,
              endLine: one.endLine,
              endColumn: one.endColumn,
            },
          },
          logicalLocations: [{ fullyQualifiedName: one.pointer }],
        },
      ],
      ...(one.suggestion === undefined ? {} : { properties: { suggestion: one.suggestion } }),
    })),
  );
  const driver = { name: 'dowel', version, rules: codes.map((id) => ({ id })) };
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

const uriOf = (file: string): string =>
  file.startsWith('/') || /^[A-Za-z]:[\\/]/.test(file)
    ? pathToFileURL(file).href
    : file.replace(/^\.\//, '').split(/[\\/]/).map(encodeURIComponent).join('/');

/** Workflow commands that GitHub shows beside the lines of a pull request. */
export function renderGithub(diagnostics: readonly Diagnostic[], file: string): string {
  return diagnostics
    .map((one) => {
      const sameLine = one.endLine === one.line && one.endColumn > one.column;
      const properties = {
        file: file.replace(/^\.\//, ''),
        line: one.line,
        endLine: one.endLine,
        col: one.column,
        // GitHub takes an end column only within one line.
        ...(sameLine ? { endColumn: one.endColumn } : {}),
        title: `dowel: ${one.code}`,
      };
      const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
      return `::${one.severity} ${list.join(',')}::${escapeData(one.message)}\n`;
    })
    .join('');
}

const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
