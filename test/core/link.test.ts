import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { VirtualClock } from '../../src/core/clock.ts';
import { Life } from '../../src/core/life.ts';
import { Link, type LinkPlan } from '../../src/core/link.ts';
import { seededRandom } from '../../src/core/random.ts';
import { failure } from '../../src/errors.ts';
import { recordingLog } from '../support/plain-context.ts';

interface Line {
  readonly number: number;
  cut(why: string): void;
  readonly lost: Promise<string>;
}

/** A far side whose state is in the test's hands. */
function far(t: TestContext, more: Partial<LinkPlan<Line>> = {}) {
  const clock = new VirtualClock();
  const log = recordingLog();
  const state = { problem: undefined as { detail: string; hopeless?: boolean } | undefined, opened: 0, closed: 0 };
  const plan: LinkPlan<Line> = {
    far: 'the far side',
    open: async () => {
      if (state.problem) throw state.problem;
      const { promise, resolve } = Promise.withResolvers<string>();
      return { number: ++state.opened, cut: resolve, lost: promise };
    },
    lost: (line) => line.lost,
    close: async () => {
      state.closed++;
    },
    explain: (thrown) => thrown as { detail: string; hopeless?: boolean },
    ...more,
  };
  const link = new Link(plan, { clock, log, random: seededRandom(1) });
  t.after(() => link.close());
  const said = () => log.lines.map((line) => `${line.level} ${line.fields['detail'] ?? line.message}`);
  return { clock, link, state, said };
}

const isDown = (link: Link<Line>): boolean => link.opened === undefined;

describe('link', () => {
  test('is up after the start, and given back at the end, once', async (t) => {
    const { link, state, said } = far(t);
    await Promise.all([link.start(), link.start()]);
    assert.equal(link.opened?.number, 1);
    await Promise.all([link.close(), link.close()]);
    assert.deepEqual([state.opened, state.closed, link.opened], [1, 1, undefined]);
    assert.deepEqual(said(), []);
  });

  test('a start that waiting may heal resolves, says so once, and goes on trying', async (t) => {
    const { clock, link, state, said } = far(t);
    state.problem = { detail: 'refused' };
    await link.start();
    await clock.advance(60_000);
    assert.ok(isDown(link));
    assert.equal(link.trouble, 'refused');
    assert.deepEqual(said(), ['warn refused']);
    state.problem = { detail: 'no route' };
    await clock.advance(60_000);
    state.problem = undefined;
    await clock.advance(10_000);
    assert.equal(link.opened?.number, 1);
    assert.deepEqual(said(), ['warn refused', 'warn no route', 'info connected']);
  });

  test('a start that waiting does not heal rejects with what to correct', async (t) => {
    const { link, state } = far(t);
    state.problem = { detail: 'the password is wrong', hopeless: true };
    await assert.rejects(link.start(), {
      code: 'startup',
      message: 'the far side could not be opened: the password is wrong',
    });
  });

  test('a start does not wait for a far side that says nothing: it says for what it is waited on', async (t) => {
    const { promise, resolve } = Promise.withResolvers<Line>();
    const { link, said } = far(t, {
      open: (_, waits) => {
        waits('it does not answer');
        return promise;
      },
    });
    await link.start();
    assert.ok(isDown(link));
    assert.equal(link.trouble, 'it does not answer');
    assert.deepEqual(said(), ['warn it does not answer']);
    resolve({ number: 1, cut: () => {}, lost: new Promise(() => {}) });
    await link.reached(new AbortController().signal);
    assert.deepEqual(said(), ['warn it does not answer', 'info connected']);
  });

  test('what a start would not survive is tried on later', async (t) => {
    const { clock, link, state, said } = far(t);
    await link.start();
    state.problem = { detail: 'the password is wrong', hopeless: true };
    link.opened?.cut('cut');
    await clock.advance(30_000);
    state.problem = undefined;
    await clock.advance(30_000);
    assert.equal(link.opened?.number, 2);
    assert.deepEqual(said(), ['warn cut', 'warn the password is wrong', 'info connected']);
  });

  test('who waits gets it as soon as it is up; each time is told to who watches', async (t) => {
    const { clock, link, state } = far(t);
    const seen: number[] = [];
    const leave = link.onUp((line) => seen.push(line.number));
    state.problem = { detail: 'refused' };
    await link.start();
    const waiting = link.up(new Life(clock), 'events');
    state.problem = undefined;
    await clock.advance(10_000);
    assert.equal((await waiting).number, 1);
    link.opened?.cut('cut');
    await clock.advance(10_000);
    leave();
    link.opened?.cut('cut');
    await clock.advance(10_000);
    assert.deepEqual(seen, [1, 2]);
    assert.equal(state.closed, 2);
  });

  test('a call whose time is over before it is up was not sent', async (t) => {
    const { clock, link, state } = far(t);
    state.problem = { detail: 'refused' };
    await link.start();
    const life = new Life(clock, { deadline: clock.monotonic() + 1000 });
    const waiting = assert.rejects(link.up(life, 'events'), {
      code: 'connection',
      message: 'events could not be reached: refused',
      facts: { endpoint: 'events', detail: 'refused', sent: false },
    });
    await clock.advance(1000);
    await waiting;
    const given = new Life(clock);
    const cancelled = assert.rejects(link.up(given, 'events'), { code: 'aborted' });
    given.abort(failure('aborted'));
    await cancelled;
    await assert.rejects(link.up(given, 'events'), { code: 'aborted' });
    await link.close();
    await assert.rejects(link.up(new Life(clock), 'events'), { code: 'stopping' });
  });

  test('one that breaks at once each time is not opened in a tight loop', async (t) => {
    const { clock, link, state } = far(t);
    link.onUp((line) => line.cut('cut'));
    await link.start();
    await clock.advance(60_000);
    assert.ok(state.opened < 30, `opened ${state.opened} times in a minute`);
    assert.ok(state.opened > 5, `opened ${state.opened} times in a minute`);
  });

  test('what stands on another one that is lost does not say so again', async (t) => {
    const { clock, link, said } = far(t, { lost: (line) => line.lost.then(() => undefined) });
    await link.start();
    link.opened?.cut('cut');
    await clock.advance(10_000);
    assert.equal(link.opened?.number, 2);
    assert.deepEqual(said(), []);
  });

  test('one that comes when nobody wants it any more is given back', async (t) => {
    const { promise, resolve } = Promise.withResolvers<Line>();
    const { link, state } = far(t, { open: () => promise });
    const starting = link.start();
    await link.close();
    await starting;
    resolve({ number: 1, cut: () => {}, lost: new Promise(() => {}) });
    await promise;
    await new Promise((done) => setImmediate(done));
    assert.equal(state.closed, 1);
    assert.equal(link.opened, undefined);
  });
});
