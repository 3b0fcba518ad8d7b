import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mainFlow, startEngine } from '../support/engine.ts';

/** Each flow, and whether it can relay its body as a stream. */
const flows: readonly (readonly [string, string, boolean])[] = [
  ['a flow that passes on and answers', '- call: { endpoint: a }', true],
  ['a flow that answers with what came in', '- log: { message: "${{ $headers.host }}" }', true],
  [
    'routing by headers',
    '- switch: { cases: [ { when: $headers.x = "1", steps: [ { call: { endpoint: a } } ] } ], otherwise: [ { call: { endpoint: b } } ] }',
    true,
  ],
  ['an answer made of other things', '- send: { endpoint: a }\n- respond: { body: { ok: true } }', true],
  ['an expression over the new body', `- call: { endpoint: a }\n- transform: total`, true],
  ['an expression over the body', '- log: { message: "${{ total }}" }\n- call: { endpoint: a }', false],
  ['a body that is sent twice', '- send: { endpoint: a }\n- send: { endpoint: b }', false],
  ['a body that is sent and then is the answer', '- send: { endpoint: a }', false],
  ['a call that keeps the body, which is the answer', '- call: { endpoint: a, as: x }', false],
  ['a fallback that looks at the body', '- call: { endpoint: a, fallback: [ { transform: total } ] }', false],
  [
    'branches that send the same body',
    '- scatterGather: { branches: { x: [ { call: { endpoint: a } } ], y: [ { call: { endpoint: b } } ] } }',
    false,
  ],
  [
    'a loop that sends it',
    '- loop: { while: $headers.x = "1", steps: [ { send: { endpoint: a } } ] }\n- respond: { body: 1 }',
    false,
  ],
  [
    'a loop that may not run even once',
    '- loop: { while: $headers.x = "1", steps: [ { transform: 1 } ] }\n- send: { endpoint: a }',
    false,
  ],
  [
    'a step that may not run, which passes it on and answers with another',
    '- when: $headers.x = "1"\n  call: { endpoint: a }',
    true,
  ],
  [
    'a case that ends the flow',
    '- switch: { cases: [ { when: $headers.x = "1", steps: [ { respond: {} } ] } ], otherwise: [ { call: { endpoint: a } } ] }\n- send: { endpoint: b }',
    true,
  ],
  ['a fallback that leaves it', '- call: { endpoint: a, fallback: [] }', false],
  ['a fallback that answers', '- call: { endpoint: a, fallback: [ { respond: { body: sorry } } ] }', true],
  [
    'a catch that leaves it',
    '- try: { steps: [ { call: { endpoint: a } } ], catch: [ { steps: [ { log: { message: sorry } } ] } ] }',
    false,
  ],
  [
    'a catch that makes another',
    '- try: { steps: [ { call: { endpoint: a } } ], catch: [ { steps: [ { set: { body: sorry } } ] } ] }',
    true,
  ],
  [
    'a catch behind an answer',
    '- call: { endpoint: a }\n- try: { steps: [ { call: { endpoint: b } } ], catch: [ { steps: [] } ] }',
    true,
  ],
  ['a copy for a wire tap', '- wireTap: { steps: [ { call: { endpoint: b } } ] }\n- call: { endpoint: a }', false],
];

describe('a flow relays its body as a stream when no step looks at it and one step takes it', () => {
  for (const [title, steps, streams] of flows) {
    test(`${title}: ${streams ? 'streams' : 'is read whole'}`, async (t) => {
      const engine = await startEngine(t, mainFlow(steps));
      assert.equal(engine.needsWholeBody('main'), !streams);
    });
  }

  test('onError that looks at the body needs it whole', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- call: { endpoint: a }', {
        flow: 'onError: [ { steps: [ { respond: { status: 503, body: "${{ orderId }}" } } ] } ]',
      }),
    );
    assert.equal(engine.needsWholeBody('main'), true);
  });
});
