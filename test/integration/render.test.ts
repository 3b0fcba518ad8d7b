import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Diagnostic } from '../../src/integration/diagnostic.ts';
import { renderGithub, renderJson, renderSarif, renderText } from '../../src/integration/render.ts';

const one = (given: Partial<Diagnostic> = {}): Diagnostic => ({
  severity: 'error',
  code: 'unknown-key',
  message: 'Unknown key `prot`; did you mean `port`?',
  pointer: '/server/prot',
  line: 2,
  column: 11,
  endLine: 2,
  endColumn: 15,
  suggestion: 'port',
  ...given,
});

const plain = (given: Partial<Diagnostic>): Diagnostic => {
  const { suggestion: _, ...rest } = one(given);
  return rest;
};

function fileOf(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-render-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'i.yaml');
  writeFileSync(file, text);
  return file;
}

describe('text', () => {
  const show = (t: TestContext, text: string, diagnostics: readonly Diagnostic[], color = false): string => {
    const file = fileOf(t, text);
    return renderText(diagnostics, file, { color }).replaceAll(file, 'i.yaml');
  };

  test('a secret that stands in the file is not shown, what stands around it is', (t) => {
    const secret = { code: 'open-secret', message: 'm', pointer: '', line: 1, column: 6, endLine: 1, endColumn: 12 };
    const shown = show(t, 'url: canary # of the broker\nurl: ${KEY}\n', [
      plain(secret),
      plain({ ...secret, line: 2, endLine: 2 }),
    ]);
    assert.match(shown, /1 \| url: \*{6} # of the broker\n/);
    assert.match(shown, /2 \| url: \$\{KEY\}\n/);
  });

  test('names the place as terminals can open it, shows the line, and what to write', (t) => {
    assert.equal(
      show(t, 'dowel: 1\nserver: { prot: 8080 }\n', [
        one(),
        plain({ severity: 'warning', line: 1, column: 1, endLine: 1, endColumn: 6, pointer: '' }),
      ]),
      `i.yaml:2:11 error: Unknown key \`prot\`; did you mean \`port\`?
      2 | server: { prot: 8080 }
        |           ^^^^ port
      at /server/prot [unknown-key]

i.yaml:1:1 warning: Unknown key \`prot\`; did you mean \`port\`?
      1 | dowel: 1
        | ^^^^^
      [unknown-key]

1 error, 1 warning`,
    );
  });

  test('keeps the carets under the text behind tabs, and marks what is longer than a line to its end', (t) => {
    const shown = show(t, 'a:\n\t\tb: c\n\t\td: e\n', [plain({ line: 2, column: 3, endLine: 3, endColumn: 7 })]);
    assert.match(shown, /2 \| \t\tb: c\n {8}\| \t\t\^{4}\n/);
  });

  test('cuts long lines around the place', (t) => {
    const shown = show(t, `${'x'.repeat(500)}HERE${'y'.repeat(500)}\n`, [
      plain({ line: 1, column: 501, endLine: 1, endColumn: 505 }),
    ]);
    assert.match(shown, /1 \| …x{20}HEREy{76}…\n {8}\| {22}\^{4}\n/);
  });

  test('shows a place behind the last character', (t) => {
    const shown = show(t, 'a: b\n', [plain({ line: 1, column: 5, endLine: 1, endColumn: 5 })]);
    assert.match(shown, /1 \| a: b\n {8}\| {5}\^\n/);
  });

  test('lets nothing in the file or in a message steer the terminal', (t) => {
    const shown = show(t, 'a: \u001b[2J\u0007b\u009b1m\n', [
      plain({ line: 1, column: 1, endLine: 1, endColumn: 2, message: 'found \u001b[31m\nx', pointer: '/a\u0007' }),
    ]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must be gone
    assert.doesNotMatch(shown, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  test('is in colour only when asked', (t) => {
    assert.ok(show(t, 'a\nb\n', [one()], true).includes('\x1b[31merror\x1b[0m'));
    assert.ok(!show(t, 'a\nb\n', [one()]).includes('\x1b'));
  });

  test('does without the line when the file is gone, or shorter by now', (t) => {
    assert.equal(
      renderText([one()], '/none/i.yaml', { color: false }),
      '/none/i.yaml:2:11 error: Unknown key `prot`; did you mean `port`?\n      at /server/prot [unknown-key]\n\n1 error',
    );
    assert.match(show(t, 'a\n', [one({ line: 9 })]), /9:11 error: [^\n]*\n {6}at/);
  });
});

test('JSON has the shape that the guide promises, keys in order', () => {
  const checked = [
    { file: 'a.yaml', diagnostics: [one(), plain({ severity: 'warning' })] },
    { file: 'b.yaml', diagnostics: [] },
  ];
  const text = renderJson(checked);
  assert.ok(text.endsWith('}\n'));
  const parsed = JSON.parse(text) as { readonly files: readonly { readonly diagnostics: readonly object[] }[] };
  assert.deepEqual(parsed, { files: checked, errors: 1, warnings: 1 });
  assert.deepEqual(Object.keys(parsed), ['files', 'errors', 'warnings']);
  assert.deepEqual(Object.keys(parsed.files[0]?.diagnostics[0] ?? {}), [
    'severity',
    'code',
    'message',
    'pointer',
    'line',
    'column',
    'endLine',
    'endColumn',
    'suggestion',
  ]);
});

describe('SARIF', () => {
  interface Log {
    readonly version: string;
    readonly runs: readonly {
      readonly columnKind: string;
      readonly tool: {
        readonly driver: {
          readonly name: string;
          readonly version: string;
          readonly rules: readonly { readonly id: string }[];
        };
      };
      readonly results: readonly {
        readonly ruleId: string;
        readonly ruleIndex: number;
        readonly level: string;
        readonly message: { readonly text: string };
        readonly locations: readonly {
          readonly physicalLocation: {
            readonly artifactLocation: { readonly uri: string };
            readonly region: Readonly<Record<string, number>>;
          };
          readonly logicalLocations: readonly { readonly fullyQualifiedName: string }[];
        }[];
      }[];
    }[];
  }

  test('names tool, rules, places', () => {
    const text = renderSarif(
      [
        { file: './my folder/ü.yaml', diagnostics: [one(), plain({ severity: 'warning', code: 'a-warning' })] },
        { file: '/tmp/x y.yaml', diagnostics: [one()] },
      ],
      '1.2.3',
    );
    const log = JSON.parse(text) as Log;
    const [run] = log.runs;
    assert.equal(log.version, '2.1.0');
    assert.equal(run?.columnKind, 'utf16CodeUnits');
    assert.deepEqual(run?.tool.driver, {
      name: 'dowel',
      version: '1.2.3',
      rules: [{ id: 'a-warning' }, { id: 'unknown-key' }],
    });
    assert.deepEqual(
      run?.results.map((result) => [
        result.ruleId,
        run.tool.driver.rules[result.ruleIndex]?.id,
        result.level,
        result.locations[0]?.physicalLocation.artifactLocation.uri,
      ]),
      [
        ['unknown-key', 'unknown-key', 'error', 'my%20folder/%C3%BC.yaml'],
        ['a-warning', 'a-warning', 'warning', 'my%20folder/%C3%BC.yaml'],
        ['unknown-key', 'unknown-key', 'error', 'file:///tmp/x%20y.yaml'],
      ],
    );
    assert.deepEqual(run?.results[0]?.locations[0]?.physicalLocation.region, {
      startLine: 2,
      startColumn: 11,
      endLine: 2,
      endColumn: 15,
    });
    assert.equal(run?.results[0]?.locations[0]?.logicalLocations[0]?.fullyQualifiedName, '/server/prot');
  });
});

describe('GitHub', () => {
  test('one workflow command for each, its properties and its message escaped', () => {
    const text = renderGithub(
      [one({ message: '50% of\r\nit: a, b' }), plain({ severity: 'warning', endLine: 4 })],
      './a:b,c%.yaml',
    );
    assert.equal(
      text,
      '::error file=a%3Ab%2Cc%25.yaml,line=2,endLine=2,col=11,endColumn=15,title=dowel%3A unknown-key::50%25 of%0D%0Ait: a, b\n' +
        '::warning file=a%3Ab%2Cc%25.yaml,line=2,endLine=4,col=11,title=dowel%3A unknown-key::Unknown key `prot`; did you mean `port`?\n',
    );
  });
});
