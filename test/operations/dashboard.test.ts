import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Project } from '../cli/support/project.ts';
import { root } from '../support/child-process.ts';
import { startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { service } from '../support/http-service.ts';
import { exposedIn, usesIn } from '../support/promql.ts';

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly panels: readonly {
    readonly title: string;
    readonly type: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly Target[];
  }[];
}

const dashboard = JSON.parse(readFileSync(`${root}docs/grafana/dowel.json`, 'utf8')) as Dashboard;
const targets = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));

/** What Prometheus adds to all that it collects. */
const added = ['instance', 'job'];

const api = `
openapi: 3.1.0
info: { title: Things, version: "1" }
paths:
  /things:
    get:
      operationId: listThings
      responses: { '200': { description: All., content: { application/json: { schema: { type: array } } } } }
`;

/** Uses everything that is counted. */
const definition = (far: string): string => `
dowel: 1
name: everything
version: 1.0.0
config: { KEY: { secret: true } }
server: { port: 0, host: 127.0.0.1 }
admin: { port: 0 }
store: { memory: {} }
endpoints:
  far:
    http: { url: "${far}" }
    retry: { maxAttempts: 2, delay: 1ms }
    circuitBreaker: { minCalls: 100 }
    bulkhead: { max: 3 }
  agreed: { http: { url: "${far}", contract: { openapi: ./api.yaml } } }
  jobs: { channel: { name: jobs } }
flows:
  door:
    from:
      http: { method: GET, path: /door, auth: { apiKey: { keys: [ { id: one, key: "\${KEY}" } ] } } }
    steps: [ { call: { endpoint: far, http: { method: GET, path: / } } } ]
  things:
    from: { http: { contract: { openapi: ./api.yaml, operation: listThings } } }
    steps: [ { call: { endpoint: agreed, http: { operation: listThings } } }, { respond: { status: 200, body: {} } } ]
  put:
    from: { http: { path: /put } }
    steps: [ { send: { endpoint: jobs } } ]
  work:
    from: { channel: { name: jobs, durable: true } }
    redelivery: { maxAttempts: 2, delay: 1ms, maxDelay: 1ms }
    steps: [ { fail: { code: no-luck, detail: never, kind: transient } } ]
  book:
    from: { http: { path: /book } }
    steps:
      - saga:
          steps:
            - send:
                endpoint: jobs
                compensate: [ { log: { message: undone } } ]
            - fail: { code: no-luck, detail: none }
`;

describe('the dashboard for Grafana', () => {
  test('asks only for what a running integration exposes, by labels that it has', async (t) => {
    const far = await service(t, (_, response) => response.writeHead(500).end());
    // Spans that a receiver does not want are counted as well.
    const receiver = await service(t, (_, response) => response.writeHead(400).end());
    const project = new Project(t, { 'integration.yaml': definition(far), 'api.yaml': api });
    const env = {
      KEY: 'a-key-for-the-door-of-this-test',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    };
    await using dowel = await startDowel(project.path(), { env });
    const post = (path: string): Promise<Response> =>
      fetch(`${dowel.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    await fetch(`${dowel.url}/door`);
    await fetch(`${dowel.url}/door`, { headers: { 'x-api-key': env.KEY } });
    await fetch(`${dowel.url}/things`);
    await post('/put');
    await post('/book');
    const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${dowel.adminPort}/metrics`)).text();
    await eventually('all has been counted', async () => {
      const text = await metrics();
      return /^dowel_dead_letters_total\S* [1-9]/m.test(text) && /^dowel_spans_dropped_total/m.test(text);
    });
    const exposed = exposedIn(await metrics());
    const asked = [
      ...targets,
      ...dashboard.annotations.list.map(({ expr }) => ({ title: 'annotation', expr, legendFormat: '' })),
    ];
    for (const { title, expr, legendFormat } of asked) {
      for (const { metric, labels } of usesIn(expr)) {
        const has = exposed.get(metric);
        assert.ok(has, `${title}: there is no metric ${metric}`);
        const unknown = [...labels].filter((label) => !has.has(label) && !added.includes(label));
        assert.deepEqual(unknown, [], `${title}: ${metric} does not have these labels`);
        const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].flatMap(([, label]) => label ?? []);
        const nameless = named.filter((label) => !labels.has(label) && !has.has(label) && !added.includes(label));
        assert.deepEqual(nameless, [], `${title}: the legend names what ${metric} does not have`);
        if (/\bby \(/.test(expr)) {
          const lost = named.filter((label) => !labels.has(label));
          assert.deepEqual(lost, [], `${title}: the legend names what is not summed up by`);
        }
      }
    }
  });

  test('shows all that there is to count', () => {
    const described =
      readFileSync(`${root}docs/metrics.md`, 'utf8').match(/`(?:dowel|process|nodejs|http)_\w+`/g) ?? [];
    const shown = new Set(
      targets.flatMap(({ expr }) => usesIn(expr).map(({ metric }) => metric.replace(/_(?:bucket|count|sum)$/, ''))),
    );
    const missing = described.map((name) => name.slice(1, -1)).filter((name) => /_/.test(name) && !shown.has(name));
    const labels = ['http_request_method', 'http_route', 'http_response_status_code'];
    assert.deepEqual(new Set(missing.filter((name) => !labels.includes(name))), new Set());
  });

  test('can be narrowed to an integration and to a process', () => {
    const names = dashboard.templating.list.map(({ name }) => name);
    assert.deepEqual(names, ['datasource', 'integration', 'instance']);
    for (const { title, expr } of targets) {
      for (const { metric, labels } of usesIn(expr)) assert.ok(labels.has('instance'), `${title}: ${metric} of all`);
    }
  });

  test('its panels do not overlap', () => {
    const cells = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      assert.ok(x + w <= 24, title);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          const before = cells.get(`${column} ${line}`);
          assert.equal(before, undefined, `${title} lies on ${before}`);
          cells.set(`${column} ${line}`, title);
        }
      }
    }
  });
});

describe('expressions of Prometheus', () => {
  test('are read: metrics, matchers, groups, ranges, functions', () => {
    const uses = usesIn('sum by (le, a) (rate(x_bucket{b=~"c{d}",e!="f"}[5m])) / (time() - on (g) y > 0) or max(z)');
    assert.deepEqual(
      uses.map(({ metric, labels }) => [metric, [...labels]]),
      [
        ['x_bucket', ['b', 'e', 'le', 'a']],
        ['y', []],
        ['z', []],
      ],
    );
    assert.throws(() => usesIn('sum(x'), /not closed/);
    assert.throws(() => usesIn('x ? y'), /cannot be read/);
  });
});
