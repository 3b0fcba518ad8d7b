import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { callLog } from '../../../src/core/call-log.ts';
import { failure, httpFailure } from '../../../src/errors.ts';
import { type Engine, mainFlow, startEngine } from '../../support/engine.ts';
import { recordingLog } from '../../support/plain-context.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Lines with this message, without what differs from run to run. */
const lines = (engine: Engine, message: string): readonly Fields[] =>
  engine.log.lines
    .filter((line) => line.message === message)
    .map(({ level, fields: { exchange, traceId, ...fields } }) => {
      assert.match(String(exchange), /^[\da-f-]{36}$/);
      assert.equal(String(traceId), String(exchange).replaceAll('-', ''));
      return { level, ...defined(fields) };
    });

const defined = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const start = (t: TestContext, steps: string, options: Parameters<typeof startEngine>[2] = {}): Promise<Engine> =>
  startEngine(t, mainFlow(steps), { calls: 'info', ...options });

describe('the line that a message leaves', () => {
  test('says how it ended, what its sender was told, and how long it took', async (t) => {
    const engine = await start(t, '- delay: { for: 250ms }\n- respond: { status: 201, body: { a: 1 } }');
    const sent = engine.send({ body: { card: 'canary' } });
    await engine.clock.advance(250);
    await sent;
    assert.deepEqual(lines(engine, 'message ended'), [
      { level: 'info', flow: 'main', source: 'test', outcome: 'done', status: 201, ms: 250 },
    ]);
    assert.doesNotMatch(JSON.stringify(engine.log.lines), /canary/);
  });

  test('of one that ended quietly, and of one that failed, says so, with code and place', async (t) => {
    const engine = await start(
      t,
      '- filter: { when: a = 1 }\n- { name: Give up, fail: { code: no-luck, status: 409 } }',
    );
    await engine.send({ body: { a: 2 } });
    await engine.send({ body: { a: 1 } }).catch(() => {});
    assert.deepEqual(lines(engine, 'message ended'), [
      { level: 'info', flow: 'main', source: 'test', outcome: 'dropped', status: 204, ms: 0 },
      {
        level: 'info',
        flow: 'main',
        source: 'test',
        outcome: 'failed',
        status: 409,
        code: 'no-luck',
        place: 'main/steps/1 "Give up"',
        ms: 0,
      },
    ]);
  });
});

describe('the line that a call leaves', () => {
  test('names the endpoint and the step, and is one for all of its attempts', async (t) => {
    let asked = 0;
    const engine = await startEngine(
      t,
      mainFlow('- { name: Ask, call: { endpoint: a, test: { path: get } } }\n- send: { endpoint: out }', {
        policies: 'retry: { delay: 1ms }',
      }),
      {
        calls: 'info',
        far({ endpoint }) {
          if (endpoint === 'a' && ++asked === 1) throw httpFailure(503, { endpoint });
          return { status: 202 };
        },
      },
    );
    const sent = engine.send({});
    await engine.clock.advance(10);
    await sent;
    const [call, send] = lines(engine, 'call ended');
    assert.deepEqual(
      { ...call, ms: 'some' },
      {
        level: 'info',
        flow: 'main',
        place: 'main/steps/0 "Ask"',
        endpoint: 'a',
        outcome: 'done',
        status: 202,
        ms: 'some',
      },
    );
    assert.equal(asked, 2);
    assert.deepEqual([send?.['endpoint'], send?.['place']], ['out', 'main/steps/1 send']);
  });

  test('that failed, or was rejected here, says with which code', async (t) => {
    const engine = await start(t, '- call: { endpoint: a, test: { path: get } }', {
      far({ endpoint }) {
        throw engine.calls.length === 1 ? httpFailure(404, { endpoint }) : failure('circuit-open', { endpoint });
      },
    });
    await engine.send({}).catch(() => {});
    await engine.send({}).catch(() => {});
    const facts = { level: 'info', flow: 'main', place: 'main/steps/0 call', endpoint: 'a', ms: 0 };
    assert.deepEqual(lines(engine, 'call ended'), [
      { ...facts, outcome: 'failed', status: 404, code: 'http-404' },
      { ...facts, outcome: 'rejected', code: 'circuit-open' },
    ]);
  });

  test('is there for each endpoint of a recipient list', async (t) => {
    const engine = await start(t, `- recipientList: { endpoints: "['a', 'b']", as: all, test: { path: get } }`);
    await engine.send({});
    assert.deepEqual(
      lines(engine, 'call ended')
        .map((line) => line['endpoint'])
        .sort(),
      ['a', 'b'],
    );
  });
});

describe('how loud these lines are', () => {
  test('`debug` is as loud as the log is just now, `info` always, `off` never', () => {
    const log = recordingLog();
    const quiet = { ...log, debugging: false };
    assert.equal(callLog(log, 'off'), undefined);
    assert.equal(callLog(quiet, 'debug')?.on, false);
    assert.equal(callLog(log, 'debug')?.on, true);
    assert.equal(callLog(quiet, 'info')?.on, true);
    callLog(log, 'info')?.write('a', {});
    callLog(log, 'debug')?.write('b', {});
    assert.deepEqual(
      log.lines.map(({ level, message }) => `${level} ${message}`),
      ['info a', 'debug b'],
    );
  });

  test('with `off` there are none', async (t) => {
    const engine = await start(t, '- call: { endpoint: a, test: { path: get } }', { calls: 'off' });
    await engine.send({});
    assert.deepEqual([lines(engine, 'message ended'), lines(engine, 'call ended')], [[], []]);
  });
});
