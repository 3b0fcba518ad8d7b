import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ExpressionSource, TemplateSource } from '../../src/core/written.ts';
import { loadIntegration } from '../../src/integration/load.ts';
import { found, load, loadRight, optionsOf } from './support/loading.ts';

const rest = 'flows: { f: { from: { timer: { every: 1s } }, steps: [] } }\n';

describe('what stands in a file', () => {
  test('is there typed, with its places', async (t) => {
    const source = await loadRight(
      t,
      `dowel: 1
name: order
version: 1.2.3
description: What it does.
config: { PORT: { type: integer, default: 8080 } }
server: { port: "\${PORT}", host: 127.0.0.1 }
admin: { port: 9500 }
log: { level: warn }
endpoints:
  stock: { http: { url: http://stock }, timeout: 800ms }
flows:
  order:
    description: The order.
    from: { http: { path: "/orders/{id}", maxBody: 64kb } }
    deadline: 5s
    concurrency: 7
    steps:
      - name: Ask
        when: quantity > 1
        call: { endpoint: stock, http: { path: "/\${{ sku }}" }, as: found }
    onError:
      - on: [timeout]
        when: $error.status = 504
        steps: [ { respond: { status: 503 } } ]
  sub: { steps: [ { run: { flow: sub } } ] }
`,
    );
    assert.deepEqual(
      [source.name, source.version, source.description, source.server, source.log],
      ['order', '1.2.3', 'What it does.', { port: 8080, host: '127.0.0.1' }, { level: 'warn', calls: 'debug' }],
    );
    assert.deepEqual(source.admin, { host: '127.0.0.1', port: 9500, insist: true, token: undefined });
    assert.equal(source.endpoints['stock']?.connector.name, 'http');
    assert.equal(source.endpoints['stock']?.pointer, '/endpoints/stock');
    const flow = source.flows['order'];
    assert.deepEqual([flow?.deadline, flow?.concurrency, flow?.description], [5000, 7, 'The order.']);
    assert.deepEqual(flow?.from?.options, { path: '/orders/{id}', maxBody: 65_536, method: 'POST' });
    const step = flow?.steps[0];
    assert.deepEqual([step?.kind, step?.name, step?.pointer], ['call', 'Ask', '/flows/order/steps/0']);
    assert.deepEqual(step?.when, new ExpressionSource('quantity > 1', '/flows/order/steps/0/when'));
    const { connector } = optionsOf(step);
    assert.deepEqual(
      optionsOf(connector as { readonly options: unknown })['path'],
      new TemplateSource('/${{ sku }}', 'path', '/flows/order/steps/0/call/http/path'),
    );
    assert.deepEqual(flow?.onError?.[0]?.on, ['timeout']);
    assert.equal(source.flows['sub']?.from, undefined);
  });

  test('may be little: the rest has defaults', async (t) => {
    const source = await loadRight(t, `dowel: 1\nname: t\n${rest}`);
    assert.deepEqual(
      [source.server, source.admin, source.log, { ...source.endpoints }, source.config],
      [
        { port: 8080, host: '0.0.0.0' },
        { host: '127.0.0.1', port: 9400, insist: false, token: undefined },
        { level: 'info', calls: 'debug' },
        {},
        {},
      ],
    );
  });

  test('keys that JavaScript has a meaning for are keys', async (t) => {
    const source = await loadRight(
      t,
      `dowel: 1\nname: t\nendpoints: { constructor: { http: { url: http://a } }, toString: { http: { url: http://b } } }\n${rest.replace('[]', '[ { set: { body: { __proto__: { a: 1 } } } } ]')}`,
    );
    assert.deepEqual(Object.keys(source.endpoints), ['constructor', 'toString']);
    const { body } = optionsOf(source.flows['f']?.steps[0]);
    assert.ok(body instanceof TemplateSource);
    assert.deepEqual(Object.keys(body.value as object), ['__proto__']);
    const names = await found(t, `dowel: 1\nname: t\nendpoints: { __proto__: { http: { url: http://a } } }\n${rest}`);
    assert.deepEqual(names.length, 1);
    assert.match(names[0] ?? '', /^3:14 bad-name `__proto__` is no name/);
  });

  test('an alias stands for what its anchor stands for, with places of its own', async (t) => {
    const source = await loadRight(
      t,
      `dowel: 1\nname: t\nendpoints:\n  a: { http: &x { url: http://a } }\n  b: { http: *x }\n${rest}`,
    );
    assert.equal(source.endpoints['b']?.connector.pointer, '/endpoints/b/http');
    assert.deepEqual(source.endpoints['b']?.connector.options, source.endpoints['a']?.connector.options);
  });
});

describe('referenced files', () => {
  test('are read, and watched, also while they are missing', async (t) => {
    const yaml = `dowel: 1
name: t
flows:
  f:
    from: { http: { path: /a } }
    steps:
      - validate: { schema: ./a.json }
      - validate: { schema: sub/../b.json }
      - script: { module: ./missing.ts }
`;
    const { source, files, diagnostics } = await load(t, yaml, {
      files: { 'a.json': '\uFEFF{}', 'b.json': '{ "type": "object" }' },
    });
    const folder = files[0]?.replace('/integration.yaml', '') ?? '';
    assert.deepEqual(
      files,
      ['integration.yaml', 'a.json', 'b.json', 'missing.ts'].map((name) => join(folder, name)),
    );
    assert.deepEqual(source?.files, files);
    assert.deepEqual(
      diagnostics.map((one) => one.code),
      ['missing-file'],
    );
    const { schema } = optionsOf(source?.flows['f']?.steps[0]);
    assert.deepEqual(schema, {
      path: join(folder, 'a.json'),
      text: '{}',
      pointer: '/flows/f/steps/0/validate/schema',
    });
  });

  test('that are larger than anybody means are refused', async (t) => {
    const yaml = `dowel: 1\nname: t\n${rest.replace('[]', '[ { validate: { schema: ./big.json } } ]')}`;
    const lines = await found(t, yaml, { files: { 'big.json': Buffer.alloc(10 * 1024 * 1024 + 1, ' ') } });
    assert.deepEqual(lines.length, 1);
    assert.match(lines[0] ?? '', /file-too-large `\.\/big\.json` is larger than 10 MiB/);
  });

  test('paths for run time are absolute', async (t) => {
    const yaml = `dowel: 1\nname: t\nendpoints: { a: { file: { path: ./out/a.jsonl } } }\n${rest}`;
    const { source, files } = await load(t, yaml);
    const { path } = optionsOf(source?.endpoints['a']?.connector);
    assert.equal(path, join(files[0] ?? '', '..', 'out', 'a.jsonl'));
  });
});

describe('the file itself', () => {
  test('that does not exist, or is a folder, is one diagnostic at its beginning', async () => {
    const kinds = { steps: [], connectors: {} };
    const environment = { env: {}, config: 'optional' } as const;
    const missing = await loadIntegration(join(import.meta.dirname, 'none.yaml'), kinds, environment);
    assert.deepEqual(
      missing.diagnostics.map((one) => [one.line, one.column, one.message]),
      [[1, 1, 'There is no such file']],
    );
    assert.equal(missing.source, undefined);
    const folder = await loadIntegration(import.meta.dirname, kinds, environment);
    assert.deepEqual(
      folder.diagnostics.map((one) => one.message),
      ['This is a folder, not a file'],
    );
  });

  test('that is no UTF-8 says so', async (t) => {
    const latin = Buffer.concat([Buffer.from('dowel: 1\nname: t\ndescription: '), Buffer.from([0xe4, 0x0a])]);
    const utf16 = Buffer.from(`\uFEFFdowel: 1\nname: t\n${rest}`, 'utf16le');
    for (const bytes of [latin, utf16]) {
      const { diagnostics, source } = await load(t, bytes);
      assert.deepEqual(
        diagnostics.map((one) => [one.code, one.line]),
        [['not-utf8', 1]],
      );
      assert.equal(source, undefined);
    }
  });

  test('that is too large, too deep or too full of aliases is refused, quickly', async (t) => {
    const large = await load(t, `# ${'x'.repeat(1024 * 1024)}\n`);
    assert.deepEqual(
      large.diagnostics.map((one) => one.code),
      ['too-large'],
    );
    const deep = await load(t, `dowel: ${'['.repeat(10_000)}`);
    assert.deepEqual(
      deep.diagnostics.map((one) => one.message),
      ['The file is nested deeper than 50 levels'],
    );
    const lines = ['dowel: 1', 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    const laughs = await load(t, lines.join('\n'));
    assert.deepEqual(
      laughs.diagnostics.map((one) => one.code),
      ['yaml-limit'],
    );
  });
});
