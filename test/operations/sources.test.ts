import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { heldService } from '../cli/support/held-service.ts';
import { Project } from '../cli/support/project.ts';
import { type DowelProcess, startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';

const token = 'a-token-that-nobody-guesses';

const start = (t: TestContext, more: string): Promise<DowelProcess> => {
  const project = new Project(t, { 'integration.yaml': definition(more) });
  return startDowel(project.path(), { env: { TOKEN: token }, cwd: project.folder });
};

const definition = (more: string): string => `
dowel: 1
name: paused
config: { TOKEN: { secret: true } }
server: { port: 0, host: 127.0.0.1 }
admin: { port: 0, token: "\${TOKEN}" }
${more}`;

async function ask(port: number, method: string, path: string, authorization = `Bearer ${token}`) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization } });
  const text = await response.text();
  const body = (/json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : {}) as Readonly<
    Record<string, unknown>
  >;
  return { status: response.status, body, text };
}

const post = (dowel: DowelProcess, path: string) => ask(dowel.adminPort, 'POST', path);
const get = (dowel: DowelProcess, path: string) => ask(dowel.adminPort, 'GET', path);

/** Messages of `log` steps, in their order. */
const said = (dowel: DowelProcess, pattern: RegExp): readonly string[] =>
  dowel.log.map(({ message }) => message).filter((message) => pattern.test(message));

describe('pausing a source', () => {
  test('http: callers are told, what is under way finishes, other flows go on, and it is ready all the while', async (t) => {
    const far = await heldService(t);
    await using dowel = await start(
      t,
      `
endpoints: { far: { http: { url: "${far.url}" } } }
flows:
  ask:
    from: { http: { method: GET, path: /ask } }
    steps: [ { call: { endpoint: far } } ]
  other:
    from: { http: { method: GET, path: /other } }
    steps: [ { respond: { status: 200 } } ]
  sub:
    steps: [ { stop: {} } ]
`,
    );
    const before = fetch(`${dowel.url}/ask`);
    await far.waiting(1);
    const paused = await post(dowel, '/flows/ask/pause');
    assert.deepEqual([paused.status, paused.body], [200, { flow: 'ask', paused: true, inFlight: 1 }]);
    const refused = await fetch(`${dowel.url}/ask`);
    const { code, outcome } = (await refused.json()) as Readonly<Record<string, unknown>>;
    assert.deepEqual(
      [refused.status, refused.headers.get('retry-after'), code, outcome],
      [503, '30', 'paused', 'none'],
    );
    assert.equal((await fetch(`${dowel.url}/other`)).status, 200);
    assert.equal((await get(dowel, '/readyz')).status, 200);
    assert.match((await get(dowel, '/status')).text, /"name":"ask","from":"http","durable":false,"paused":true/);
    const metrics = (await get(dowel, '/metrics')).text;
    assert.match(metrics, /^dowel_source_paused\{flow="ask"\} 1$/m);
    assert.match(metrics, /^dowel_source_paused\{flow="other"\} 0$/m);
    assert.match(metrics, /^dowel_messages_total\{flow="ask",outcome="rejected",code="paused"\} 1$/m);
    far.release();
    assert.equal((await before).status, 200);
    assert.deepEqual((await post(dowel, '/flows/ask/resume')).body, { flow: 'ask', paused: false, inFlight: 0 });
    assert.equal((await fetch(`${dowel.url}/ask`)).status, 200);

    const unknown = await post(dowel, '/flows/sub/pause');
    assert.equal(unknown.status, 404);
    assert.match(unknown.text, /no flow sub with a source; there are ask, other/);
    assert.equal((await ask(dowel.adminPort, 'POST', '/flows/ask/pause', '')).status, 401);
    const trigger = await post(dowel, '/flows/ask/trigger');
    assert.deepEqual([trigger.status, trigger.body['code']], [409, 'not-a-timer']);
  });

  test('`reply: accepted`: nothing more is accepted, what waits in the store is not begun, and goes on afterwards', async (t) => {
    const far = await heldService(t);
    await using dowel = await start(
      t,
      `
store: { memory: {} }
endpoints: { far: { http: { url: "${far.url}" } } }
flows:
  take:
    from: { http: { path: /take, reply: accepted } }
    concurrency: 1
    steps:
      - call: { endpoint: far, http: { method: GET }, as: got }
      - log: { message: "did \${{ n }}" }
`,
    );
    const send = (n: number): Promise<Response> =>
      fetch(`${dowel.url}/take`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ n }),
      });
    for (const n of [1, 2]) assert.equal((await send(n)).status, 202);
    await far.waiting(1);
    await post(dowel, '/flows/take/pause');
    assert.equal((await send(3)).status, 503);
    far.release();
    await dowel.until('the first is done', () => said(dowel, /^did/).length === 1);
    assert.match((await get(dowel, '/metrics')).text, /^dowel_queue_messages\{queue="accepted:take"\} 1$/m);
    await post(dowel, '/flows/take/resume');
    await dowel.until('the second is done', () => said(dowel, /^did/).length === 2);
    assert.equal((await send(4)).status, 202);
    await dowel.until('it accepts again', () => said(dowel, /^did/).length === 3);
    assert.deepEqual(said(dowel, /^did/), ['did 1', 'did 2', 'did 4']);
  });

  test('a channel in memory keeps what comes, and loses nothing of it when the process stops', async (t) => {
    await using dowel = await start(
      t,
      `
endpoints: { jobs: { channel: { name: jobs } } }
flows:
  put:
    from: { http: { path: /put } }
    steps: [ { send: { endpoint: jobs } } ]
  work:
    from: { channel: { name: jobs } }
    steps: [ { log: { message: "did \${{ n }}" } } ]
`,
    );
    const put = async (n: number): Promise<number> =>
      (
        await fetch(`${dowel.url}/put`, {
          method: 'POST',
          body: `{"n":${n}}`,
          headers: { 'content-type': 'application/json' },
        })
      ).status;
    await post(dowel, '/flows/work/pause');
    for (const n of [1, 2]) assert.equal(await put(n), 200);
    assert.deepEqual(said(dowel, /^did/), []);
    assert.match((await get(dowel, '/metrics')).text, /^dowel_queue_messages\{queue="channel:jobs"\} 2$/m);
    assert.match((await get(dowel, '/status')).text, /"name":"work"[^}]*"queued":2/);
    await post(dowel, '/flows/work/resume');
    await dowel.until('they are done', () => said(dowel, /^did/).length === 2);
    await post(dowel, '/flows/work/pause');
    assert.equal(await put(3), 200);
    assert.deepEqual(await dowel.stop(), { code: 0, signal: null });
    assert.deepEqual(said(dowel, /^did/), ['did 1', 'did 2', 'did 3']);
  });

  test('files and durable channels wait where they are', async (t) => {
    const project = new Project(t, {
      'integration.yaml': definition(`
store: { memory: {} }
endpoints: { jobs: { channel: { name: jobs } } }
flows:
  read:
    from: { file: { path: in, every: 20ms, settle: 10ms } }
    steps: [ { send: { endpoint: jobs } } ]
  work:
    from: { channel: { name: jobs, durable: true } }
    steps: [ { log: { message: "did \${{ $ }}" } } ]
`),
    });
    mkdirSync(project.path('in'));
    await using dowel = await startDowel(project.path(), { env: { TOKEN: token } });
    await post(dowel, '/flows/read/pause');
    project.write('in/a.txt', 'one');
    await post(dowel, '/flows/work/pause');
    assert.deepEqual(said(dowel, /^did/), []);
    assert.deepEqual(
      readdirSync(project.path('in')).filter((name) => name.endsWith('.txt')),
      ['a.txt'],
    );
    await post(dowel, '/flows/read/resume');
    const waits = /^dowel_queue_messages\{[^}]*\} 1$/m;
    await eventually('it waits in the store', async () => waits.test((await get(dowel, '/metrics')).text));
    assert.deepEqual(said(dowel, /^did/), []);
    const queued = async (): Promise<unknown> => {
      const { flows } = (await get(dowel, '/status')).body as {
        readonly flows: readonly { readonly queued?: number }[];
      };
      return flows.map((flow) => flow.queued);
    };
    assert.deepEqual(await queued(), [undefined, 1]);
    await post(dowel, '/flows/work/resume');
    await dowel.until('it is done', () => said(dowel, /^did/).length === 1);
    await eventually('the queue is empty', async () => isDeepStrictEqual(await queued(), [undefined, 0]));
  });

  test('what cannot be opened again is paused on, with the reason', async (t) => {
    const project = new Project(t, {
      'integration.yaml': definition(`
flows:
  read:
    from: { file: { path: in, every: 20ms, settle: 0s } }
    steps: [ { log: { message: "did \${{ $ }}" } } ]
`),
    });
    mkdirSync(project.path('in'));
    await using dowel = await startDowel(project.path(), { env: { TOKEN: token } });
    await post(dowel, '/flows/read/pause');
    rmSync(project.path('in'), { recursive: true });
    const refused = await post(dowel, '/flows/read/resume');
    assert.deepEqual([refused.status, refused.body['code']], [503, 'not-resumed']);
    assert.match(
      refused.text,
      /It is paused on: The folder .* of the flow `read` could not be opened: it does not exist/,
    );
    assert.match((await get(dowel, '/status')).text, /"paused":true/);
    project.write('in/a.txt', 'one');
    assert.equal((await post(dowel, '/flows/read/resume')).status, 200);
    await dowel.until('it is done', () => said(dowel, /^did/).length === 1);
  });

  test('a reload keeps it, until its flow is gone', async (t) => {
    const serving = (paths: readonly string[]): string =>
      definition(`
flows:
${paths.map((path) => `  ${path}: { from: { http: { method: GET, path: /${path} } }, steps: [ { respond: { status: 200 } } ] }`).join('\n')}`);
    const project = new Project(t, { 'integration.yaml': serving(['one', 'two']) });
    await using dowel = await startDowel(project.path(), { command: 'dev', env: { TOKEN: token } });
    const portOf = (pattern: RegExp): number => Number(pattern.exec(dowel.stderr)?.[1]);
    const admin = portOf(/admin listening .*\bport=(\d+)/);
    const url = `http://127.0.0.1:${portOf(/(?<!admin )listening .*\bport=(\d+)/)}`;
    const reload = async (paths: readonly string[]): Promise<void> => {
      const reloads = (): number => dowel.stderr.split(/ reloaded {2}/).length;
      const before = reloads();
      project.write('integration.yaml', serving(paths));
      await dowel.until('the reload', () => reloads() > before);
    };
    const statusOf = async (path: string): Promise<number> => (await fetch(`${url}/${path}`)).status;
    assert.equal((await ask(admin, 'POST', '/flows/one/pause')).status, 200);
    await reload(['one', 'two', 'three']);
    assert.deepEqual(await Promise.all(['one', 'two', 'three'].map(statusOf)), [503, 200, 200]);
    await reload(['two']);
    await reload(['one', 'two']);
    assert.deepEqual(await Promise.all(['one', 'two'].map(statusOf)), [200, 200]);
  });
});

describe('a timer', () => {
  const nightly = (steps: string, from = 'cron: "0 0 1 1 *"'): string => `
flows:
  nightly:
    from: { timer: { ${from} } }
    steps:
      - log: { message: "tick \${{ $source.tick }}\${{ $source.byHand ? ' by hand' : '' }}" }
${steps}`;

  test('is triggered by hand: it says what came of it, also while it is paused', async (t) => {
    await using dowel = await start(t, nightly(''));
    const { status, body } = await post(dowel, '/flows/nightly/trigger');
    const { exchange, ms, ...rest } = body;
    assert.deepEqual([status, rest], [200, { flow: 'nightly', tick: 1, outcome: 'done' }]);
    assert.deepEqual([typeof exchange, typeof ms], ['string', 'number']);
    assert.equal(dowel.log.find(({ message }) => message === 'tick 1 by hand')?.['exchange'], exchange);
    await post(dowel, '/flows/nightly/pause');
    assert.equal((await post(dowel, '/flows/nightly/trigger')).body['tick'], 2);
    assert.equal((await post(dowel, '/flows/nightly/trigger?wait=soon')).status, 400);
  });

  test('tells of a run that fails or is dropped', async (t) => {
    await using failing = await start(t, nightly('      - fail: { code: no-luck, detail: none today }\n'));
    const { status, body } = await post(failing, '/flows/nightly/trigger');
    assert.deepEqual(
      [status, body['outcome'], body['code'], body['place']],
      [200, 'failed', 'no-luck', 'nightly/steps/1 fail'],
    );
    await using dropping = await start(t, nightly('      - stop: {}\n'));
    assert.equal((await post(dropping, '/flows/nightly/trigger')).body['outcome'], 'dropped');
  });

  test('does not overlap with a run that is still going on, and is not waited for without end', async (t) => {
    const far = await heldService(t);
    await using dowel = await start(
      t,
      `endpoints: { far: { http: { url: "${far.url}" } } }${nightly('      - call: { endpoint: far, http: { method: GET } }\n')}`,
    );
    const running = await post(dowel, '/flows/nightly/trigger?wait=0ms');
    assert.deepEqual([running.status, running.body['outcome']], [202, 'running']);
    await far.waiting(1);
    const refused = await post(dowel, '/flows/nightly/trigger');
    assert.deepEqual([refused.status, refused.body['code']], [409, 'still-running']);
    far.release();
    await eventually('the run ends', async () => /"inFlight":0/.test((await get(dowel, '/status')).text));
    assert.equal((await post(dowel, '/flows/nightly/trigger')).body['outcome'], 'done');
  });

  test('that is paused lets its ticks go by, and keeps its interval', async (t) => {
    await using dowel = await start(t, nightly('', 'every: 20ms'));
    await dowel.until('it ticks', () => said(dowel, /^tick/).length > 0);
    await post(dowel, '/flows/nightly/pause');
    const before = said(dowel, /^tick/).length;
    // Some ticks later, for each question takes its time.
    for (let i = 0; i < 20; i++) await get(dowel, '/status');
    assert.equal(said(dowel, /^tick/).length, before);
    await post(dowel, '/flows/nightly/resume');
    await dowel.until('it ticks again', () => said(dowel, /^tick/).length > before);
  });
});
