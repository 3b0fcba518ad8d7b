/** Reads a test file by the same machinery as integrations: every mistake once, with its place. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Finding } from '../core/written.ts';
import { Consequences } from '../integration/consequences.ts';
import { type Diagnostic, sortDiagnostics } from '../integration/diagnostic.ts';
import { ReferencedFiles } from '../integration/files.ts';
import { checkExpression } from '../integration/interpolate.ts';
import { locate } from '../integration/locate.ts';
import { decode } from '../integration/text.ts';
import { parseYaml } from '../integration/yaml.ts';
import { kindSchemas } from '../schema/kinds.ts';
import { describe } from '../schema/node.ts';
import { readValue } from '../schema/read.ts';
import type { ReadContext } from '../schema/read-context.ts';
import { type TestFileSource, testFileSchema } from './language.ts';

/** A test file as it was read. */
export interface TestRead {
  /** Absolute. */
  readonly path: string;
  /** `undefined` where it could not be read as a test file at all. */
  readonly source: TestFileSource | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Those that it refers to, besides integrations. */
  readonly files: readonly string[];
  /** A finding with its place. */
  locate(finding: Finding): Diagnostic;
  /** Whether a finding only follows from a mistake that is among the diagnostics already. */
  follows(finding: Finding): boolean;
}

const beginning = { line: 1, column: 1, endLine: 1, endColumn: 1 } as const;

/** What the YAML reader says of integrations. */
const otherwise: Readonly<Record<string, string>> = {
  'empty-file': 'The file is empty. It begins with `dowelTest: 1`',
  'second-document': 'A second document begins here; one file has one list of tests',
};

export function readTestFile(file: string): TestRead {
  const path = resolve(file);
  const bytes = bytesOf(path);
  if (typeof bytes === 'string') return unreadable(path, 'unreadable-file', bytes);
  const text = decode(bytes);
  if (text === undefined) return unreadable(path, 'not-utf8', 'The file is not UTF-8 text. Save it as UTF-8');
  const document = parseYaml(text);
  const placed = document.findings.map((finding) =>
    locate(document, { ...finding, message: otherwise[finding.code] ?? finding.message }, finding.span),
  );
  const { root } = document;
  if (!root) return { ...unreadable(path, '', ''), diagnostics: placed };

  const found: Finding[] = [];
  const moved = new Map<string, string>();
  const consequences = new Consequences(root);
  const files = new ReferencedFiles(dirname(path));
  const written = (pointer: string): string => {
    for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const as = moved.get(at);
      if (as !== undefined && as !== at) return written(as + pointer.slice(at.length));
    }
    return pointer;
  };
  const asWritten = (finding: Finding): Finding => ({ ...finding, pointer: written(finding.pointer) });
  const report = (finding: Finding): void => {
    consequences.mistake(asWritten(finding));
    found.push(asWritten(finding));
  };
  for (const finding of document.findings) consequences.mistake(finding);
  const context: ReadContext = {
    kinds: kindSchemas({ steps: [], connectors: {} }),
    report,
    standIn: (pointer) => consequences.standIn(written(pointer)),
    moved: (as, from) => void moved.set(as, from),
    // Nothing comes from outside: `${NAME}` is text here.
    literal: (node) => ({ text: node.text, coerced: false, shown: describe(node) }),
    configIn: () => [],
    template: (node) => node.value,
    expression: (node, to) => void checkExpression(node, to),
    file: (name, node, to) => files.read(name, node, to),
    openapi: () => undefined,
    path: (name) => files.resolve(name),
    secret: () => {},
    text: () => {},
    check: () => {},
    complete: (_connector, _slot, { options }) => options,
  };
  let source: TestFileSource | undefined;
  if (root.kind === 'map') source = readValue(root, testFileSchema, context);
  else {
    const message = `A test file is a map of keys, beginning with \`dowelTest: 1\`; found ${describe(root)}`;
    report({ severity: 'error', code: 'wrong-type', pointer: '', at: 'key', message });
  }
  return {
    path,
    source,
    diagnostics: sortDiagnostics([...placed, ...found.map((finding) => locate(document, finding))]),
    files: files.paths,
    locate: (finding) => locate(document, asWritten(finding)),
    follows: (finding) => consequences.includes(asWritten(finding)),
  };
}

/** Or why there are none. */
function bytesOf(path: string): Uint8Array | string {
  try {
    return readFileSync(path);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'There is no such file' : `The file cannot be read (${code})`;
  }
}

const unreadable = (path: string, code: string, message: string): TestRead => ({
  path,
  source: undefined,
  diagnostics: [{ severity: 'error', code, message, pointer: '', ...beginning }],
  files: [],
  locate: (finding) => ({ ...finding, ...beginning }) as Diagnostic,
  follows: () => true,
});
