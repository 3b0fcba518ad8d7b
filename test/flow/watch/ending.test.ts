import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Body, failure, noHeaders } from '#sdk';
import { customFailure } from '../../../src/errors.ts';
import { errorOf, outcomeOf, statusTold } from '../../../src/flow/watch/ending.ts';
import { outgoing, plainContext } from '../../support/plain-context.ts';

const exchange = outgoing(plainContext());

describe('how a message ended', () => {
  test('is told its sender: as `respond` says, else by whether there is a body', () => {
    assert.equal(statusTold(exchange.with({ reply: { status: 201, headers: noHeaders } }), undefined), 201);
    assert.equal(statusTold(exchange.withBody(Body.value(1)), undefined), 200);
    assert.equal(statusTold(exchange, undefined), 204);
    assert.equal(statusTold(undefined, undefined), 204);
    assert.equal(statusTold(undefined, customFailure('no-luck', 'permanent', 409, 'no')), 409);
    assert.equal(statusTold(undefined, failure('aborted')), 499);
  });

  test('has one of five outcomes, and what was cancelled is no error', () => {
    const [gone, full] = [failure('aborted'), failure('circuit-open', { endpoint: 'a', ms: 1 })];
    assert.equal(outcomeOf(exchange, undefined), 'done');
    assert.equal(outcomeOf(undefined, undefined), 'dropped');
    assert.equal(outcomeOf(undefined, gone), 'cancelled');
    assert.equal(outcomeOf(undefined, full), 'rejected');
    assert.equal(outcomeOf(undefined, failure('timeout', { ms: 1 })), 'failed');
    assert.deepEqual([errorOf(gone), errorOf(full)], [undefined, 'circuit-open']);
  });
});
