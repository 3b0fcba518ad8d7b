/** What people see in an editor: the checked-in schema in the yaml-language-server. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { connectorDefinitions } from '../../connectors/index.ts';
import { steps } from '../../src/steps/index.ts';
import { type Completion, type Editor, openEditor } from './support/language-server.ts';

let editor: Editor;
before(async () => {
  editor = await openEditor();
});
after(() => editor.close());

const head = `dowel: 1
name: t
config: { PORT: { type: integer, default: 8080 } }
endpoints:
  stock: { http: { url: http://stock } }
flows:
  order:
    from: { http: { path: /orders } }
    steps:
`;

const labels = (items: readonly Completion[]): readonly string[] => items.map((item) => item.label);
const textOf = (items: readonly Completion[], label: string): string | undefined =>
  items.find((item) => item.label === label)?.insertText;

describe('completion', () => {
  test('offers every step, with what it needs', async () => {
    const items = await editor.complete(`${head}      - |`);
    for (const { name } of steps) assert.ok(labels(items).includes(name), name);
    assert.ok(labels(items).includes('when'));
    assert.equal(textOf(items, 'call'), 'call:\n    endpoint: ');
    assert.equal(textOf(items, 'switch'), 'switch:\n    cases:\n      - when: $1\n        steps:\n          - $2');
  });

  test('offers the options of a step, and the connectors that a call can have', async () => {
    const items = labels(await editor.complete(`${head}      - call:\n          |`));
    for (const name of ['endpoint', 'body', 'headers', 'as', 'fallback', 'compensate', 'http', 'soap']) {
      assert.ok(items.includes(name), name);
    }
    assert.ok(!items.includes('timer'));
  });

  test('offers the options of a connector under its name', async () => {
    const call = labels(
      await editor.complete(`${head}      - call:\n          endpoint: stock\n          http:\n            |`),
    );
    assert.deepEqual(
      [...call].sort().filter((label) => label !== 'http'),
      ['headers', 'method', 'operation', 'params', 'path', 'query', 'target'],
    );
    const source = labels(await editor.complete('flows:\n  f:\n    from:\n      http:\n        |'));
    for (const name of ['path', 'method', 'contract', 'maxBody', 'cors']) assert.ok(source.includes(name), name);
  });

  test('offers the connectors of a source and of an endpoint, with what they need', async () => {
    const sources = await editor.complete('flows:\n  f:\n    from:\n      |');
    const endpoints = await editor.complete('endpoints:\n  e:\n    |');
    for (const { name, source, endpoint } of Object.values(connectorDefinitions)) {
      assert.equal(labels(sources).includes(name), source !== undefined, name);
      assert.equal(labels(endpoints).includes(name), endpoint !== undefined, name);
    }
    assert.equal(textOf(sources, 'file'), 'file:\n  path: ');
    assert.equal(textOf(endpoints, 'file'), 'file:\n  path: ');
    // `path` or `contract`, `url` or `urls`: there is a choice.
    assert.equal(textOf(sources, 'http'), 'http:\n  ');
    assert.equal(textOf(endpoints, 'http'), 'http:\n  ');
    assert.ok(labels(endpoints).includes('timeout'));
  });

  test('offers the words that an option takes, and true and false', async () => {
    assert.deepEqual([...labels(await editor.complete('log:\n  level: |'))].sort(), ['debug', 'error', 'info', 'warn']);
    assert.deepEqual([...labels(await editor.complete('config:\n  KEY:\n    secret: |'))].sort(), ['false', 'true']);
    assert.ok(labels(await editor.complete('config:\n  KEY:\n    type: |')).includes('integer'));
  });

  test('offers the top level of a new file', async () => {
    const items = labels(await editor.complete('|'));
    for (const name of ['dowel', 'name', 'config', 'server', 'endpoints', 'flows'])
      assert.ok(items.includes(name), name);
  });
});

describe('hover', () => {
  const plain = (text: string): string => text.replaceAll('\\', '');

  test('a step says what it does, and the name of its pattern', async () => {
    const text = plain(await editor.hover(`${head}      - ca|ll: { endpoint: stock }`));
    assert.match(text, /Calls an endpoint and waits for its answer/);
    assert.match(text, /Pattern: Request-Reply/);
  });

  test('an option says what it is, its default and examples', async () => {
    const text = plain(await editor.hover('flows: { f: { from: { http: { maxB|ody: 1mb } } } }'));
    assert.match(text, /Largest body that is taken/);
    assert.match(text, /Default: `1mb`/);
    assert.match(plain(await editor.hover('flows: { f: { from: { http: { pa|th: /a } } } }')), /\/orders\/\{id\}/);
  });
});

describe('diagnostics', () => {
  test('an example has none', async () => {
    const text = readFileSync(new URL('../../integrations/order/integration.yaml', import.meta.url), 'utf8');
    assert.deepEqual(await editor.diagnose(text.replace(/^# yaml-language-server.*\n/, '')), []);
  });

  test('one for each mistake, where it is', async () => {
    const text = `${head}      - call: { endpont: stock, endpoint: stock }
      - log: { level: loud, message: x }
      - delay: { for: 5 sec }
      - cal: {}
      - respond: { status: 42 }
`;
    assert.deepEqual(await editor.diagnose(text), [
      { line: 10, column: 17, message: 'Property endpont is not allowed.' },
      { line: 11, column: 23, message: 'Value is not accepted. Valid values: "debug", "info", "warn", "error".' },
      { line: 12, column: 23, message: 'A duration is a number with a unit: 500ms, 5s, 2m, 1h, 7d' },
      { line: 13, column: 9, message: 'Property cal is not allowed.' },
      { line: 14, column: 28, message: 'Value is below the minimum of 200.' },
    ]);
  });

  test('values of config and holes are right wherever they may stand', async () => {
    const text = `${head.replace('flows:', 'server: { port: "${PORT}" }\nflows:')}      - delay: { for: "\${WAIT}" }
      - when: true
        respond: { status: "\${{ code }}", headers: "\${{ $headers }}", body: [ "\${{ a }}", 1 ] }
`;
    assert.deepEqual(await editor.diagnose(text), []);
  });
});
