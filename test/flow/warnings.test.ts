import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mainFlow, startEngine } from '../support/engine.ts';

/** Definitions that run, but do not do what they seem to say; each with the warning, or none. */
const cases: readonly (readonly [string, string, string | undefined])[] = [
  [
    'attempts that do not fit the deadline of the endpoint',
    mainFlow('- call: { endpoint: a, test: { path: get } }', {
      policies: 'retry: { maxAttempts: 3 }, timeout: 2s, deadline: 5s',
    }),
    'attempts-beyond-deadline /endpoints/a/retry: 3 attempts of up to 2s can take 6s, but its deadline is 5s',
  ],
  [
    'attempts that fit',
    mainFlow('- call: { endpoint: a, test: { path: get } }', {
      policies: 'retry: { maxAttempts: 3 }, timeout: 1s, deadline: 5s',
    }),
    undefined,
  ],
  [
    'attempts that do not fit the deadline of the flow',
    mainFlow('- call: { endpoint: a, test: { path: get } }', {
      policies: 'retry: {}, timeout: 2s',
      flow: 'deadline: 5s',
    }),
    'attempts-beyond-deadline /flows/main/steps/0/call/endpoint: 3 attempts of up to 2s can take 6s, but the deadline of the flow `main` is 5s',
  ],
  [
    'an endpoint that ends its attempts in time by its own deadline',
    mainFlow('- call: { endpoint: a, test: { path: get } }', {
      policies: 'retry: { maxAttempts: 2 }, timeout: 2s, deadline: 4s',
      flow: 'deadline: 5s',
    }),
    undefined,
  ],
  [
    'a breaker that never sees enough calls',
    mainFlow('- call: { endpoint: a }', {
      policies: 'circuitBreaker: { window: 10s, minCalls: 20 }, rateLimit: { rate: 1/s }',
    }),
    'never-enough-calls /endpoints/a/circuitBreaker/minCalls: `rateLimit` lets at most 11 calls through',
  ],
  [
    'a cache of calls that all change something',
    mainFlow('- send: { endpoint: out }').replace('out: { oneway: {} }', 'out: { oneway: {}, cache: { ttl: 1m } }'),
    'nothing-to-keep /endpoints/out/cache: Nothing is ever kept: every call of `oneway` may change something',
  ],
  [
    'a cache of calls that may only read',
    mainFlow('- call: { endpoint: a, test: { path: get } }', { policies: 'cache: { ttl: 1m }' }),
    undefined,
  ],
  [
    'retry on a call that may not be repeated',
    mainFlow('- call: { endpoint: a, test: { path: post } }', { policies: 'retry: {}' }),
    'not-repeatable /flows/main/steps/0/call/endpoint: `a` has `retry`',
  ],
  [
    'retry on a call that may',
    mainFlow('- call: { endpoint: a, idempotent: true, test: { path: post } }', { policies: 'retry: {}' }),
    undefined,
  ],
  [
    'a switch without otherwise',
    mainFlow('- switch: { cases: [ { when: a, steps: [ { stop: {} } ] } ] }'),
    'no-otherwise /flows/main/steps/0/switch: A message that no case matches',
  ],
  [
    'a step of a saga that changes something and cannot be undone',
    mainFlow('- saga: { steps: [ { call: { endpoint: a, test: { path: post } } } ] }'),
    'no-undo /flows/main/steps/0/saga/steps/0/call: This step of a saga changes something at `a`',
  ],
  [
    'steps of a saga that read, are undone, or stand in a group that is',
    mainFlow(`
- saga:
    steps:
      - call: { endpoint: a, test: { path: get } }
      - call: { endpoint: a, test: { path: post }, compensate: [ { send: { endpoint: a, test: { path: undo } } } ] }
      - group: { steps: [ { send: { endpoint: a, test: { path: post } } } ], compensate: [] }`),
    undefined,
  ],
];

describe('validate warns about', () => {
  for (const [title, yaml, expected] of cases) {
    test(expected === undefined ? `not: ${title}` : title, async (t) => {
      const engine = await startEngine(t, yaml);
      const told = engine.diagnostics.map((one) => `${one.code} ${one.pointer}: ${one.message}`);
      if (expected === undefined) assert.deepEqual(told, []);
      else {
        assert.equal(told.length, 1, told.join('\n'));
        assert.ok(told[0]?.startsWith(expected), told[0]);
        assert.equal(engine.diagnostics[0]?.severity, 'warning');
      }
    });
  }
});
