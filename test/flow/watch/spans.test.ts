import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { seededRandom } from '../../../src/core/random.ts';
import { failure, httpFailure } from '../../../src/errors.ts';
import type { FinishedSpan } from '../../../src/operations/tracing/finished-span.ts';
import { samplerOf } from '../../../src/operations/tracing/sampler.ts';
import { tracer } from '../../../src/operations/tracing/tracer.ts';
import { type Engine, type EngineOptions, mainFlow, startEngine } from '../../support/engine.ts';
import { eventually } from '../../support/eventually.ts';
import { flowOf, startBench } from '../settlement/support.ts';

interface Recorder {
  readonly spans: FinishedSpan[];
  readonly tracer: NonNullable<EngineOptions['tracer']>;
  one(name: string): FinishedSpan;
  /** Names from the root down to this span. */
  path(span: FinishedSpan): string;
}

function recorder(): Recorder {
  const spans: FinishedSpan[] = [];
  const sampler = samplerOf({ name: 'parentbased_always_on', ratio: 1 });
  return {
    spans,
    tracer: (clock) => tracer({ clock, random: seededRandom(9), sampler, ended: (span) => spans.push(span) }),
    one(name) {
      const [found, ...more] = spans.filter((span) => span.name === name);
      assert.ok(found && more.length === 0, `spans: ${spans.map((span) => span.name).join(', ')}`);
      return found;
    },
    path(span) {
      const parent = spans.find(({ id }) => id === span.parent);
      return parent ? `${this.path(parent)} > ${span.name}` : span.name;
    },
  };
}

async function start(
  t: TestContext,
  yaml: string,
  options: EngineOptions = {},
): Promise<{ readonly engine: Engine; readonly recorded: Recorder }> {
  const recorded = recorder();
  return { engine: await startEngine(t, yaml, { ...options, tracer: recorded.tracer }), recorded };
}

/** Names of the spans that it is linked to, with the id of their trace. */
const linkedTo = ({ spans }: Recorder, { links }: FinishedSpan): readonly string[] =>
  links.map(
    ({ traceId, id }) => `${spans.find((one) => one.id === id && one.traceId === traceId)?.name} of ${traceId}`,
  );

const fromTrace = (digit: string) => ({ traceparent: `00-${digit.repeat(32)}-${digit.repeat(16)}-01` });

describe('what is made of several messages', () => {
  const of = (digit: string): string => `Collect of ${digit.repeat(32)}`;

  test('a message that completes a group is linked to the others of it', async (t) => {
    const { engine, recorded } = await start(
      t,
      mainFlow('- { name: Collect, aggregate: { complete: { size: 3 } } }\n- call: { endpoint: a }'),
    );
    for (const digit of ['1', '2', '3']) await engine.send({ body: digit, headers: fromTrace(digit) });
    await eventually('the group went on', () => engine.calls.length === 1);
    const collected = recorded.spans.filter(({ name }) => name === 'Collect');
    assert.deepEqual(
      collected.map((span) => linkedTo(recorded, span)),
      [[], [], [of('1'), of('2')]],
    );
    assert.equal(recorded.one('a').traceId, '3'.repeat(32));
  });

  test('a group that goes on by itself is linked to all of its messages', async (t) => {
    const { engine, recorded } = await start(
      t,
      mainFlow('- { name: Collect, aggregate: { complete: { within: 5s } } }\n- call: { endpoint: a }'),
    );
    for (const digit of ['1', '2']) await engine.send({ body: digit, headers: fromTrace(digit) });
    await engine.clock.advance(5000);
    await eventually('the group went on', () => engine.calls.length === 1);
    await eventually('its span is there', () => recorded.spans.some(({ links }) => links.length > 0));
    const [group, ...more] = recorded.spans.filter(({ links }) => links.length > 0);
    assert.ok(group && more.length === 0);
    assert.deepEqual(linkedTo(recorded, group), [of('1'), of('2')]);
    assert.equal(group.traceId, '2'.repeat(32));
  });

  test('a message whose turn has come is linked to the span in which it came', async (t) => {
    const { engine, recorded } = await start(
      t,
      mainFlow('- { name: Collect, resequence: { sequence: $, start: 1, gapTimeout: 10s } }\n- call: { endpoint: a }'),
    );
    await engine.send({ body: 1, headers: fromTrace('7') });
    await eventually('it went on', () => engine.calls.length === 1);
    await eventually('its span is there', () => recorded.spans.some(({ links }) => links.length > 0));
    const [later] = recorded.spans.filter(({ links }) => links.length > 0);
    assert.ok(later);
    assert.deepEqual([later.traceId, linkedTo(recorded, later)], ['7'.repeat(32), [of('7')]]);
  });

  test('who is not recorded leaves no link', async (t) => {
    const { engine, recorded } = await start(
      t,
      mainFlow('- { name: Collect, aggregate: { complete: { size: 2 } } }\n- call: { endpoint: a }'),
    );
    const silent = fromTrace('1').traceparent.replace(/01$/, '00');
    await engine.send({ body: 1, headers: { traceparent: silent } });
    await engine.send({ body: 2, headers: fromTrace('2') });
    await eventually('the group went on', () => engine.calls.length === 1);
    assert.deepEqual(recorded.one('Collect').links, []);
  });
});

describe('spans of steps', () => {
  test('stand inside of what they are steps of, and behind it the message is where it was', async (t) => {
    const { engine, recorded } = await start(
      t,
      mainFlow(
        `
- name: Both
  scatterGather:
    branches:
      left: [ { name: Left, call: { endpoint: a } } ]
      right: [ { name: Right, run: { flow: inner } } ]
    as: both
- forEach: { items: "[1, 2]", steps: [ { name: Round, set: { body: 1 } } ] }
- name: Last
  respond: { body: 1 }`,
        { flows: 'inner:\n  steps: [ { name: Inside, call: { endpoint: b } } ]' },
      ),
    );
    await engine.send({});
    const paths = recorded.spans.map((span) => recorded.path(span)).sort();
    assert.deepEqual(paths, [
      'main',
      'main > Both',
      'main > Both > Left',
      'main > Both > Left > a',
      'main > Both > Right',
      'main > Both > Right > Inside',
      'main > Both > Right > Inside > b',
      'main > Last',
      'main > forEach',
      'main > forEach > Round',
      'main > forEach > Round',
    ]);
    assert.equal(new Set(recorded.spans.map(({ traceId }) => traceId)).size, 1);
  });

  test('of what was caught say so, and those around it are well', async (t) => {
    const { engine, recorded } = await start(
      t,
      mainFlow(`
- try:
    steps: [ { name: Ask, call: { endpoint: a } } ]
    catch: [ { steps: [ { name: Instead, respond: { body: 1 } } ] } ]`),
      {
        far: ({ endpoint }) => {
          throw httpFailure(500, { endpoint });
        },
      },
    );
    await engine.send({});
    const failed = recorded.spans.filter(({ error }) => error !== undefined).map(({ name, error }) => [name, error]);
    assert.deepEqual(failed, [
      ['a', 'http-500'],
      ['Ask', 'http-500'],
    ]);
    assert.equal(recorded.one('Ask').attributes['dowel.error.place'], 'main/steps/0/try/steps/0 "Ask"');
    assert.equal(recorded.path(recorded.one('Instead')), 'main > try > Instead');
    assert.equal(recorded.one('main').attributes['dowel.outcome'], 'done');
  });

  test('of a branch that was no longer wanted have no error: nothing is wrong with it', async (t) => {
    const { engine, recorded } = await start(
      t,
      mainFlow(`
- scatterGather:
    branches:
      quick: [ { call: { endpoint: a } } ]
      slow: [ { name: Slow, call: { endpoint: b } } ]
    require: any
    as: first
- set: { body: 1 }`),
      { far: ({ endpoint }) => (endpoint === 'b' ? new Promise(() => {}) : {}) },
    );
    await engine.send({});
    const { error, attributes } = recorded.one('Slow');
    assert.equal(error, undefined);
    assert.equal(typeof attributes['dowel.error.code'], 'string');
  });

  test('that undo something stand inside the step that they undo', async (t) => {
    const { engine, recorded } = await start(
      t,
      mainFlow(`
- name: Charge
  call: { endpoint: a, compensate: [ { name: Refund, call: { endpoint: a } } ] }
- fail: { code: no-luck }`),
    );
    await engine.send({}).catch(() => {});
    assert.equal(recorded.path(recorded.one('Refund')), 'main > Charge > Refund');
    assert.equal(recorded.one('main').error, 'no-luck');
  });
});

describe('spans of calls', () => {
  test('are one for each attempt', async (t) => {
    const { engine, recorded } = await start(
      t,
      mainFlow('- { name: Ask, call: { endpoint: a, test: { path: get } } }', {
        policies: 'retry: { delay: 1ms }',
      }),
      {
        far({ endpoint }) {
          if (engine.calls.length < 3) throw httpFailure(503, { endpoint });
          return {};
        },
      },
    );
    const sent = engine.send({});
    await engine.clock.advance(20);
    await sent;
    const attempts = recorded.spans.filter(({ name }) => name === 'a');
    assert.deepEqual(
      attempts.map(({ error, attributes }) => [error, attributes['http.request.resend_count']]),
      [
        ['http-503', undefined],
        ['http-503', 1],
        [undefined, 2],
      ],
    );
    assert.ok(attempts.every(({ kind, parent }) => kind === 'client' && parent === recorded.one('Ask').id));
  });

  test('that a policy turned away are seen at the step alone', async (t) => {
    const { engine, recorded } = await start(
      t,
      mainFlow('- { name: Ask, call: { endpoint: a } }', { policies: 'rateLimit: { rate: 1/h, maxWait: 0ms }' }),
    );
    await engine.send({});
    await engine.send({}).catch(() => {});
    assert.equal(recorded.spans.filter(({ name }) => name === 'a').length, 1);
    const [, second] = recorded.spans.filter(({ name }) => name === 'Ask');
    assert.equal(second?.error, 'rate-limited');
    const [, message] = recorded.spans.filter(({ name }) => name === 'main');
    assert.equal(message?.attributes['dowel.outcome'], 'rejected');
  });
});

describe('spans of messages that come again', () => {
  test('are one for each attempt, and one for the dead letter, in which it is sent', async (t) => {
    const recorded = recorder();
    const { engine, broker, publish } = await startBench(
      t,
      flowOf('- call: { endpoint: a }', 'redelivery: { maxAttempts: 2, delay: 1s }\ndeadLetter: { endpoint: parked }'),
      {
        tracer: recorded.tracer,
        far: ({ endpoint }) => {
          throw failure('connection', { endpoint, sent: false });
        },
      },
    );
    const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    publish({ n: 1 }, { headers: { traceparent: parent } });
    await engine.clock.advance(10_000);
    const messages = recorded.spans.filter(({ name }) => name === 'main');
    assert.deepEqual(
      messages.map(({ attributes, kind, parent: from, error }) => [attributes['dowel.attempt'], kind, from, error]),
      [
        [undefined, 'consumer', 'b'.repeat(16), 'connection'],
        [2, 'consumer', 'b'.repeat(16), 'connection'],
      ],
    );
    const letter = recorded.one('dead letter main');
    assert.equal(letter.parent, 'b'.repeat(16));
    assert.equal(letter.attributes['dowel.error.code'], 'connection');
    const sent = recorded.one('parked');
    assert.equal(sent.parent, letter.id);
    // A letter keeps what its message came with.
    assert.equal(broker.messages('parked')[0]?.headers['traceparent'], parent);
  });
});
