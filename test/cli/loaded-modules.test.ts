import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from '../support/child-process.ts';
import { startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';

/** Packages, and roles of connectors (`http/source`), that a running integration has loaded. */
async function loadedBy(
  t: TestContext,
  yaml: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{
  readonly packages: readonly string[];
  readonly roles: readonly string[];
  /** Steps, and connectors of which at least the description is there. */
  readonly words: readonly string[];
  /** What formats and policies load when they are used. */
  readonly parts: readonly string[];
  readonly traces: readonly string[];
  /** HTTP/2, which is never spoken, and costs 4 MB. */
  readonly http2: readonly string[];
}> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-loaded-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'integration.yaml');
  const noted = join(folder, 'noted');
  writeFileSync(file, yaml);
  const preload = pathToFileURL(join(root, 'test/support/note-loaded.js')).href;
  await using _ = await startDowel(file, { env: { NODE_OPTIONS: `--import ${preload}`, NOTE_LOADED: noted, ...more } });
  const read = (): readonly string[] => readFileSync(noted, 'utf8').split('\n');
  // The http client comes a moment after the start.
  if (yaml.includes('endpoints:')) await eventually('undici is loaded', () => read().some((url) => /undici/.test(url)));
  const matches = (pattern: RegExp): readonly string[] =>
    [...new Set(read().flatMap((url) => pattern.exec(url)?.[1] ?? []))].sort();
  return {
    packages: matches(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//),
    roles: matches(/\/connectors\/([^/]+\/(?:source|endpoint))\.ts$/),
    traces: matches(
      /\/((?:operations\/tracing|connectors\/[^/]+\/telemetry|flow\/watch\/(?:spans|messaging))[^?]*)\.ts$/,
    ),
    words: [
      ...matches(/\/connectors\/([^/]+)\/definition\.ts$/),
      ...matches(/\/src\/steps\/(?!index|load|step\.)([^/]+)\.ts$/),
    ],
    parts: matches(/\/src\/(format\/(?:csv-read|csv-write|record-formats|xml-read|xml-write)|resilience\/cache)\.ts$/),
    http2: matches(/(node:http2|client-h2)/),
  };
}

const logging = [
  '@pinojs/redact',
  'atomic-sleep',
  'on-exit-leak-free',
  'pino',
  'pino-std-serializers',
  'quick-format-unescaped',
  'safe-stable-stringify',
  'sonic-boom',
  'thread-stream',
];
const always = [...logging, 'js-yaml', 'jsonata'].sort();

describe('only what an integration uses is loaded', () => {
  test('http in and out: the http client, nothing else', async (t) => {
    const { packages, roles, words, parts, http2 } = await loadedBy(
      t,
      `
dowel: 1
name: pass
server: { port: 0 }
endpoints:
  back: { http: { url: http://127.0.0.1:9 } }
flows:
  pass:
    from: { http: { path: / } }
    steps: [ { call: { endpoint: back } } ]`,
    );
    assert.deepEqual(packages, [...always, 'undici'].sort());
    assert.deepEqual(roles, ['http/endpoint', 'http/source']);
    assert.deepEqual(words, ['http', 'call']);
    assert.deepEqual(parts, []);
    assert.deepEqual(http2, []);
  });

  test('a key at the door: nothing more; a token: jose, and still no client', async (t) => {
    const guarded = (auth: string): string => `
dowel: 1
name: guarded
server: { port: 0 }
flows:
  guarded:
    from: { http: { path: /, auth: { ${auth} } } }
    steps: [ { respond: {} } ]`;
    const byKey = await loadedBy(t, guarded('apiKey: { keys: [{ id: a, key: k }] }'));
    assert.deepEqual(byKey.packages, always);
    const byToken = await loadedBy(
      t,
      guarded('jwt: { jwks: "http://127.0.0.1:9/", anyIssuer: true, anyAudience: true }'),
    );
    assert.deepEqual(byToken.packages, [...always, 'jose'].sort());
  });

  test('http in alone: no client; a schema: ajv; a plain timer: no cron library', async (t) => {
    const { packages, roles } = await loadedBy(
      t,
      `
dowel: 1
name: checked
server: { port: 0 }
flows:
  checked:
    from: { http: { path: / } }
    steps: [ { validate: { schema: { type: object } } } ]
  ticking:
    from: { timer: { every: 1h } }
    steps: [ { log: { message: tick } } ]`,
    );
    assert.deepEqual(packages, [...always, 'ajv', 'fast-deep-equal', 'fast-uri', 'json-schema-traverse'].sort());
    assert.deepEqual(roles, ['http/source', 'timer/source']);
  });

  test('a queue: its client, and no other', async (t) => {
    const { packages, roles, words } = await loadedBy(
      t,
      `
dowel: 1
name: queued
flows:
  queued:
    from: { amqp: { url: "amqp://127.0.0.1:9", queue: q } }
    steps: [ { log: { message: got } } ]`,
    );
    assert.deepEqual(packages, [...always, 'amqplib'].sort());
    assert.deepEqual(roles, ['amqp/source']);
    assert.deepEqual(words, ['amqp', 'log']);
  });

  test('traces: nothing of them without a receiver; with one, no package and only the words of the connectors in use', async (t) => {
    const yaml = `
dowel: 1
name: traced
server: { port: 0 }
admin: { port: 0 }
flows:
  traced:
    from: { http: { path: / } }
    steps: [ { respond: { body: hi } } ]`;
    const without = await loadedBy(t, yaml, { OTEL_SERVICE_NAME: 'traced' });
    assert.deepEqual(without.traces, []);
    const receiver = await freePort();
    const { traces, packages } = await loadedBy(t, yaml, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver}`,
    });
    assert.deepEqual(packages, without.packages);
    assert.deepEqual(
      traces.filter((one) => !one.startsWith('operations/tracing/')),
      ['connectors/http/telemetry', 'flow/watch/messaging', 'flow/watch/spans'],
    );
    assert.ok(traces.includes('operations/tracing/open'));
  });
});
