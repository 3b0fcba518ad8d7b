import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import { Life } from '../../src/core/life.ts';
import { failure } from '../../src/errors.ts';

describe('life', () => {
  test('ends at its deadline with the reason it was given', async () => {
    const clock = new VirtualClock();
    const life = new Life(clock, { deadline: 100, late: () => failure('timeout', { ms: 100 }) });
    assert.equal(life.left, 100);
    await clock.advance(99);
    life.check();
    await clock.advance(1);
    assert.throws(() => life.check(), { code: 'timeout' });
    assert.equal(life.signal.aborted, true);
  });

  test('a branch has what is left of its parent, never more', () => {
    const clock = new VirtualClock();
    const parent = new Life(clock, { deadline: 100 });
    assert.equal(new Life(clock, { parent }).left, 100);
    assert.equal(new Life(clock, { parent, deadline: 500 }).left, 100);
    assert.equal(new Life(clock, { parent, deadline: 50 }).left, 50);
  });

  test('a branch ends with its parent, not the other way round', () => {
    const clock = new VirtualClock();
    const parent = new Life(clock);
    const branch = new Life(clock, { parent });
    const other = new Life(clock, { parent });
    branch.abort(failure('aborted'));
    assert.equal(parent.aborted, false);
    parent.abort(failure('deadline'));
    assert.throws(() => other.check(), { code: 'deadline' });
    assert.throws(() => branch.check(), { code: 'aborted' });
  });

  test('listeners hear once, and not at all after they left; late ones hear at once', () => {
    const life = new Life(new VirtualClock());
    const heard: string[] = [];
    life.onAbort(() => heard.push('first'));
    life.onAbort(() => heard.push('left'))();
    life.abort(failure('aborted'));
    life.abort(failure('deadline'));
    life.onAbort((reason) => heard.push(reason.code));
    assert.deepEqual(heard, ['first', 'aborted']);
  });

  test('nothing stays behind when it ended: no timer, no tie to the parent', () => {
    const clock = new VirtualClock();
    const parent = new Life(clock);
    const branch = new Life(clock, { parent, deadline: 1000 });
    assert.equal(clock.next, 1000);
    branch.end();
    assert.equal(clock.next, undefined);
    parent.abort(failure('aborted'));
    assert.equal(branch.aborted, false);
  });

  test('what a branch did stands in its own account and in that of the whole; unknown is never taken back', () => {
    const clock = new VirtualClock();
    const life = new Life(clock);
    const branch = new Life(clock, { parent: life });
    const other = new Life(clock, { parent: life });
    branch.affect('partial');
    assert.equal(life.outcome, 'partial');
    other.affect('unknown');
    branch.affect('none');
    branch.affect('partial');
    assert.deepEqual([life.outcome, branch.outcome, other.outcome], ['unknown', 'partial', 'unknown']);
  });

  test('race gives the reason when it is aborted first, and forgets the loser', async () => {
    const life = new Life(new VirtualClock());
    assert.equal(await life.race(Promise.resolve(1)), 1);
    const racing = assert.rejects(life.race(new Promise(() => {})), { code: 'aborted' });
    life.abort(failure('aborted'));
    await racing;
  });

  test('what a scope did is its own until it leaves it to the one around', () => {
    const clock = new VirtualClock();
    const life = new Life(clock);
    const scope = new Life(clock, { parent: life, scope: true });
    const branch = new Life(clock, { parent: scope });
    const undo = (place: string) => ({ place, outcome: 'partial' as const, run: async () => {} });
    life.onUndo(undo('1'));
    branch.onUndo(undo('2'));
    scope.onUndo(undo('3'));
    scope.leaveUndo();
    assert.deepEqual(scope.takeUndo(), []);
    assert.deepEqual(
      life.takeUndo().map((one) => one.place),
      ['3', '2', '1'],
    );
    scope.onUndo(undo('4'));
    assert.deepEqual(
      scope.takeUndo().map((one) => one.place),
      ['4'],
    );
    assert.deepEqual(life.takeUndo(), []);
  });
});
