import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { integrationOf, startIntegration, startService } from '../connectors/http/support.ts';
import { type Answer, type Call, type Engine, mainFlow, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

const read = '- call: { endpoint: a, test: { path: "${{ $headers.path ? $headers.path : \'get\' }}" } }';

/** Numbers its answers. */
const numbered = (headers: Record<string, string> = {}): ((call: Call) => Answer) => {
  let n = 0;
  return () => ({ headers, body: { n: ++n } });
};

const start = (t: TestContext, cache: string, far = numbered(), more = ''): Promise<Engine> =>
  startEngine(t, mainFlow(read, { policies: `cache: { ${cache} }${more}` }), { far });

const get = async (engine: Engine, path = 'get'): Promise<unknown> =>
  ((await engine.send({ headers: { path } })).body as { n?: number } | undefined)?.n;

const said = (engine: Engine): readonly string[] =>
  engine.log.lines
    .map((line) => line.message)
    .filter((message) => /^answer|^an old/.test(message))
    .map((message) => message.replace(/^answer(ed)? /, ''));

describe('an answer', () => {
  test('that says nothing is good for `ttl`', async (t) => {
    const engine = await start(t, 'ttl: 30s');
    assert.equal(await get(engine), 1);
    await engine.clock.advance(29_999);
    assert.equal(await get(engine), 1);
    await engine.clock.advance(1);
    assert.equal(await get(engine), 2);
    assert.deepEqual(said(engine), ['kept', 'from the cache', 'kept']);
  });

  test('that says how long is good so long, and says how old it is', async (t) => {
    const engine = await start(t, 'ttl: 1h', numbered({ 'cache-control': 'max-age=60', age: '10' }));
    await get(engine);
    await engine.clock.advance(49_000);
    const { exchange } = await engine.send();
    assert.deepEqual(await exchange?.value(), { n: 1 });
    assert.equal(exchange?.headers['age'], '59');
    assert.equal(exchange?.response?.headers['age'], '59');
    assert.equal(exchange?.response?.status, 200);
    await engine.clock.advance(1_000);
    assert.equal(await get(engine), 2);
  });

  test('that says nothing is not kept where there is no `ttl`', async (t) => {
    const engine = await start(t, '');
    assert.deepEqual([await get(engine), await get(engine)], [1, 2]);
  });

  test('that is somebody’s own is not kept', async (t) => {
    for (const headers of [
      { 'cache-control': 'no-store' },
      { 'cache-control': 'private' },
      { 'set-cookie': 'a=b' },
      { vary: '*' },
    ]) {
      const engine = await start(t, 'ttl: 30s', numbered(headers as never));
      assert.deepEqual([await get(engine), await get(engine)], [1, 2], JSON.stringify(headers));
    }
  });

  test('of a call that changes something is never kept, nor of one that asks by its body', async (t) => {
    const engine = await start(t, 'ttl: 1h');
    assert.deepEqual([await get(engine, 'post'), await get(engine, 'post')], [1, 2]);
    const asking = await startEngine(
      t,
      mainFlow('- call: { endpoint: a, test: { path: get }, body: "${{ $headers.q }}" }', {
        policies: 'cache: { ttl: 1h }',
      }),
      { far: numbered() },
    );
    for (const n of [1, 2]) assert.deepEqual((await asking.send({ headers: { q: 'same' } })).body, { n });
  });

  test('of an error is never kept', async (t) => {
    const engine = await start(t, 'ttl: 1h');
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'reset' });
    };
    await assert.rejects(get(engine), { code: 'connection' });
    engine.far = numbered();
    assert.equal(await get(engine), 1);
  });

  test('is another one for another path, and for other headers that the file sets', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        '- call: { endpoint: a, test: { path: "get/${{ $headers.path }}" }, headers: { x-tenant: "${{ $headers.tenant }}", x-request-id: "${{ $exchange.id }}" } }',
        { policies: 'cache: { ttl: 1h }' },
      ),
      { far: numbered() },
    );
    const ask = async (path: string, tenant: string) => (await engine.send({ headers: { path, tenant } })).body;
    assert.deepEqual(await ask('x', 'one'), { n: 1 });
    assert.deepEqual(await ask('x', 'two'), { n: 2 });
    assert.deepEqual(await ask('y', 'one'), { n: 3 });
    assert.deepEqual(await ask('x', 'one'), { n: 1 });
    assert.deepEqual(await ask('x', 'two'), { n: 2 });
  });

  test('is the same for all steps that ask for it, whatever they do with it', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        `- call: { endpoint: a, test: { path: get }, as: x }
- call: { endpoint: a, test: { path: get }, idempotent: true, as: y }
- call: { endpoint: a, test: { path: get } }`,
        { policies: 'cache: { ttl: 1h }' },
      ),
      { far: numbered() },
    );
    assert.deepEqual((await engine.send()).body, { n: 1 });
    assert.equal(engine.calls.length, 1);
  });

  test('is the same for headers that `headers` does not name, unless it varies by them', async (t) => {
    for (const [vary, seen] of [
      ['accept', [1, 1, 1]],
      ['x-tenant', [1, 2, 3]],
    ] as const) {
      const engine = await startEngine(
        t,
        mainFlow('- call: { endpoint: a, test: { path: get }, headers: { x-tenant: "${{ $headers.tenant }}" } }', {
          policies: 'cache: { ttl: 1h, headers: [accept] }',
        }),
        { far: numbered({ vary }) },
      );
      const ask = async (tenant: string) => ((await engine.send({ headers: { tenant } })).body as { n: number }).n;
      assert.deepEqual([await ask('one'), await ask('two'), await ask('one')], seen, vary);
    }
  });

  test('is not looked for where the file asks for a part, sets its own condition, or wants none', async (t) => {
    for (const header of [
      'range: bytes=0-1',
      'if-none-match: x',
      'cache-control: no-store',
      'cache-control: no-cache',
    ]) {
      const engine = await startEngine(
        t,
        mainFlow(`- call: { endpoint: a, test: { path: get }, headers: { ${header} } }`, {
          policies: 'cache: { ttl: 1h }',
        }),
        { far: numbered() },
      );
      assert.deepEqual([await get(engine), await get(engine)], [1, 2], header);
    }
  });

  test('belongs to each message: what one does with it is no matter of the others', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        '- call: { endpoint: a, test: { path: get } }\n- script: { module: ./spoil.ts }\n- respond: { body: "${{ $ }}" }',
        { policies: 'cache: { ttl: 1h }' },
      ),
      {
        far: numbered(),
        files: { 'spoil.ts': 'export default (value: { n: number }) => { value.n++; return value; };' },
      },
    );
    assert.deepEqual([await get(engine), await get(engine), await get(engine)], [2, 2, 2]);
  });
});

describe('an answer that is old', () => {
  const tagged =
    (etag: string) =>
    ({ headers }: Call): Answer =>
      headers['if-none-match'] === etag
        ? { status: 304, headers: { 'cache-control': 'max-age=10', 'x-seen': 'again' } }
        : { headers: { etag, 'cache-control': 'max-age=10', 'x-seen': 'first' }, body: { n: 1 } };

  test('is asked whether it is still good: it is said again, and is good for as long as it says now', async (t) => {
    const engine = await start(t, '', tagged('"v1"'));
    assert.equal(await get(engine), 1);
    await engine.clock.advance(10_000);
    const { exchange } = await engine.send();
    assert.deepEqual(await exchange?.value(), { n: 1 });
    assert.equal(exchange?.response?.status, 200);
    assert.equal(exchange?.headers['x-seen'], 'again');
    assert.equal(exchange?.headers['etag'], '"v1"');
    await engine.clock.advance(9_999);
    assert.equal(await get(engine), 1);
    assert.equal(engine.calls.length, 2);
    assert.deepEqual(said(engine), ['kept', 'still good', 'kept', 'from the cache']);
  });

  test('is young again when it was asked about, however old it came', async (t) => {
    const far = ({ headers }: Call): Answer =>
      headers['if-none-match']
        ? { status: 304, headers: {} }
        : { headers: { etag: '"v1"', age: '8', 'cache-control': 'max-age=10' }, body: { n: 1 } };
    const engine = await start(t, '', far);
    await get(engine);
    await engine.clock.advance(2_000);
    await get(engine);
    await engine.clock.advance(9_000);
    await get(engine);
    assert.equal(engine.calls.length, 2);
  });

  test('is replaced by a new one', async (t) => {
    const engine = await start(t, '', tagged('"v1"'));
    await get(engine);
    await engine.clock.advance(10_000);
    engine.far = () => ({ headers: { etag: '"v2"', 'cache-control': 'max-age=10' }, body: { n: 2 } });
    assert.deepEqual([await get(engine), await get(engine)], [2, 2]);
    assert.equal(engine.calls[1]?.headers['if-none-match'], '"v1"');
  });

  test('of no-cache is asked each time', async (t) => {
    const far = ({ headers }: Call): Answer =>
      headers['if-none-match']
        ? { status: 304, headers: {} }
        : { headers: { etag: '"v1"', 'cache-control': 'no-cache' }, body: { n: 1 } };
    const engine = await start(t, 'ttl: 1h', far);
    assert.deepEqual([await get(engine), await get(engine), await get(engine)], [1, 1, 1]);
    assert.equal(engine.calls.length, 3);
  });

  test('is used for `staleIfError` when the call fails for a moment, with a warning', async (t) => {
    const engine = await start(t, 'ttl: 10s, staleIfError: 1m');
    await get(engine);
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'refused' });
    };
    await engine.clock.advance(69_000);
    assert.equal(await get(engine), 1);
    const line = engine.log.lines.find((one) => one.message === 'an old answer is used, for the call failed');
    assert.deepEqual(line?.fields, { endpoint: 'a', code: 'connection', ageMs: 69_000 });
    engine.far = () => {
      throw failure('validation', { detail: 'no' });
    };
    await assert.rejects(get(engine), { code: 'validation' });
    await engine.clock.advance(1_000);
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'refused' });
    };
    await assert.rejects(get(engine), { code: 'connection' });
  });

  test('is not used where it says that it must not be', async (t) => {
    const engine = await start(t, 'staleIfError: 1m', numbered({ 'cache-control': 'max-age=1, must-revalidate' }));
    await get(engine);
    await engine.clock.advance(2_000);
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'refused' });
    };
    await assert.rejects(get(engine), { code: 'connection' });
  });
});

describe('many at once', () => {
  /** Answers when told to. */
  const slow = (): { far: () => Promise<Answer>; answer(value: Answer): void; readonly waiting: number } => {
    const waiting: ((value: Answer) => void)[] = [];
    return {
      far: () => new Promise((resolve) => void waiting.push(resolve)),
      answer: (value) => {
        for (const resolve of waiting.splice(0)) resolve(value);
      },
      get waiting() {
        return waiting.length;
      },
    };
  };
  const turn = (): Promise<void> => new Promise(setImmediate);

  test('one calls', async (t) => {
    const service = slow();
    const engine = await start(t, 'ttl: 1h', service.far as never);
    const all = Array.from({ length: 50 }, () => get(engine));
    await turn();
    assert.equal(service.waiting, 1);
    service.answer({ body: { n: 1 } });
    assert.deepEqual(await Promise.all(all), Array(50).fill(1));
    assert.equal(engine.calls.length, 1);
  });

  test('an answer for one is nobody else’s: the others call themselves, and those after them do not wait', async (t) => {
    const service = slow();
    const engine = await start(t, 'ttl: 1h', service.far as never);
    const all = Array.from({ length: 5 }, () => get(engine));
    await turn();
    service.answer({ headers: { 'cache-control': 'private' }, body: { n: 1 } });
    await turn();
    assert.equal(service.waiting, 4);
    const later = [get(engine), get(engine)];
    await turn();
    assert.equal(service.waiting, 6);
    service.answer({ headers: { 'cache-control': 'private' }, body: { n: 2 } });
    assert.deepEqual(await Promise.all([...all, ...later]), [1, 2, 2, 2, 2, 2, 2]);
  });

  test('an error is everybody’s: nobody calls a service that is down once more for each of them', async (t) => {
    const engine = await start(t, 'ttl: 1h');
    engine.far = async () => {
      await turn();
      throw failure('connection', { endpoint: 'a', detail: 'refused' });
    };
    const all = await Promise.allSettled([1, 2, 3].map(() => get(engine)));
    assert.deepEqual(
      all.map((one) => one.status === 'rejected' && one.reason.code),
      Array(3).fill('connection'),
    );
    assert.equal(engine.calls.length, 1);
  });
});

test('who waits for an answer that varies by what they do not share calls itself', async (t) => {
  const engine = await startEngine(
    t,
    mainFlow('- call: { endpoint: a, test: { path: get }, headers: { x-tenant: "${{ $headers.tenant }}" } }', {
      policies: 'cache: { ttl: 1h, headers: [accept] }',
    }),
    {
      far: async ({ headers }) => {
        await new Promise(setImmediate);
        return { headers: { vary: 'x-tenant' }, body: headers['x-tenant'] };
      },
    },
  );
  const tenants = ['one', 'two', 'one'];
  const replies = await Promise.all(tenants.map((tenant) => engine.send({ headers: { tenant } })));
  assert.deepEqual(
    replies.map((reply) => reply.body),
    tenants,
  );
  assert.equal(engine.calls.length, 2);
});

describe('bounds', () => {
  test('by number and by size of all', async (t) => {
    for (const bound of ['maxEntries: 2', 'maxSize: 900b']) {
      const engine = await start(t, `ttl: 1h, ${bound}`, () => ({ body: 'x'.repeat(100) }));
      const calls = async (path: string): Promise<number> => {
        const before = engine.calls.length;
        await engine.send({ headers: { path } });
        return engine.calls.length - before;
      };
      for (const path of ['get/a', 'get/b', 'get/c']) assert.equal(await calls(path), 1);
      assert.equal(await calls('get/c'), 0, bound);
      assert.equal(await calls('get/a'), 1, bound);
    }
  });

  test('an answer that is too large passes on as it comes, and is not kept', async (t) => {
    const text = JSON.stringify('x'.repeat(5000));
    const engine = await start(t, 'ttl: 1h, maxAnswer: 1kb', (() => ({
      stream: Readable.from([Buffer.from(text.slice(0, 800)), Buffer.from(text.slice(800))]),
    })) as never);
    for (let i = 0; i < 2; i++) assert.equal((await engine.send()).body, JSON.parse(text));
    assert.equal(engine.calls.length, 2);
    assert.ok(said(engine).includes('not kept'));
  });

  test('a short stream is kept', async (t) => {
    const engine = await start(t, 'ttl: 1h', (() => ({
      stream: Readable.from([Buffer.from('{"n":'), Buffer.from('7}')]),
    })) as never);
    assert.deepEqual([await get(engine), await get(engine)], [7, 7]);
    assert.equal(engine.calls.length, 1);
  });
});

describe('among the other policies', () => {
  test('stands outside: what is kept needs no permit, wakes no breaker, waits for no rate', async (t) => {
    const engine = await start(t, 'ttl: 1h', numbered(), ', rateLimit: { rate: 1/h, burst: 1 }');
    for (let i = 0; i < 5; i++) assert.equal(await get(engine), 1);
    await assert.rejects(get(engine, 'get/other'), { code: 'rate-limited' });
  });

  test('a call that is repeated is one call', async (t) => {
    let n = 0;
    const far = (): Answer => {
      if (++n < 3) throw failure('connection', { endpoint: 'a', detail: 'reset' });
      return { body: { n } };
    };
    const engine = await start(t, 'ttl: 1h', far, ', retry: { maxAttempts: 3, delay: 1ms }');
    const first = get(engine);
    await engine.clock.advance(100);
    assert.equal(await first, 3);
    assert.equal(await get(engine), 3);
  });
});

describe('over HTTP', () => {
  test('GET and HEAD are kept apart, POST is not kept, and ends what is kept of its path', async (t) => {
    let n = 0;
    const service = await startService(t, (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=60', etag: `"${++n}"` });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify({ n }));
    });
    const yaml = integrationOf(
      {
        main: {
          from: 'http: { method: POST, path: "/{id}" }',
          steps:
            '- call: { endpoint: far, http: { method: "${{ method }}", path: "/items/${{ $params.id }}", query: { page: "${{ page }}" } } }',
        },
      },
      `far: { http: { url: ${service.url} }, cache: {} }`,
    );
    const { url } = await startIntegration(t, yaml);
    const ask = async (id: string, body: unknown): Promise<string> => {
      const response = await fetch(`${url}/${id}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return response.text();
    };
    assert.equal(await ask('1', { method: 'GET' }), '{"n":1}');
    assert.equal(await ask('1', { method: 'GET' }), '{"n":1}');
    assert.equal(await ask('1', { method: 'GET', page: 2 }), '{"n":2}');
    assert.equal(await ask('1', { method: 'HEAD' }), '');
    assert.equal(await ask('1', { method: 'HEAD' }), '');
    assert.equal(await ask('2', { method: 'GET' }), '{"n":4}');
    assert.equal(await ask('1', { method: 'PUT' }), '{"n":5}');
    assert.equal(await ask('1', { method: 'GET' }), '{"n":6}');
    assert.equal(await ask('2', { method: 'GET' }), '{"n":4}');
    assert.equal(await ask('1', { method: 'GET', page: 2 }), '{"n":2}');
    assert.equal(service.requests.length, 6);
  });

  test('what is read while it is changed is not kept', async (t) => {
    let held: (() => void) | undefined;
    let stored = 'old';
    const service = await startService(t, (request, response) => {
      if (request.method === 'PUT') stored = 'new';
      const seen = stored;
      const answer = (): void => void response.writeHead(200, { 'cache-control': 'max-age=60' }).end(seen);
      if (request.method === 'GET' && !held) held = answer;
      else answer();
    });
    const yaml = integrationOf(
      {
        main: {
          from: 'http: { method: [GET, PUT], path: /item }',
          steps: '- call: { endpoint: far, http: { method: "${{ $source.method }}", path: /item } }',
        },
      },
      `far: { http: { url: ${service.url} }, cache: {} }`,
    );
    const { url } = await startIntegration(t, yaml);
    const ask = async (method: string): Promise<string> => (await fetch(`${url}/item`, { method })).text();
    const slow = ask('GET');
    await eventually('the GET is under way', () => held !== undefined);
    await ask('PUT');
    held?.();
    assert.equal(await slow, 'old');
    assert.equal(await ask('GET'), 'new');
    assert.equal(await ask('GET'), 'new');
    assert.equal(service.requests.length, 3);
  });

  test('a 304 of the service is no error, and its connection is used again', async (t) => {
    const service = await startService(t, (request, response) => {
      const isSame = request.headers['if-none-match'] === '"v1"';
      response.writeHead(isSame ? 304 : 200, { etag: '"v1"', 'content-type': 'text/plain' });
      response.end(isSame ? undefined : 'hello');
    });
    const yaml = integrationOf(
      {
        main: {
          from: 'http: { method: GET, path: / }',
          steps: '- call: { endpoint: far, http: { method: GET, path: /greeting } }',
        },
      },
      `far: { http: { url: ${service.url} }, cache: {} }`,
    );
    const { url } = await startIntegration(t, yaml);
    for (let i = 0; i < 3; i++) {
      const response = await fetch(url);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'text/plain');
      assert.equal(await response.text(), 'hello');
    }
    assert.deepEqual(
      service.requests.map((one) => one.headers['if-none-match']),
      [undefined, '"v1"', '"v1"'],
    );
    assert.equal(service.sockets.size, 1);
  });
});
