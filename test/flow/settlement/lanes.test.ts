import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Random } from '../../../src/core/random.ts';
import { failure } from '../../../src/errors.ts';
import { Lanes, type Turn } from '../../../src/flow/settlement/lanes.ts';
import { between, pick, type Trial, tryCommands } from '../../support/commands.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('lanes', () => {
  test('a lane is one after the other, and does not stand in the way of others', async () => {
    const lanes = new Lanes(2);
    const begun: string[] = [];
    const enter = async (name: string, lane?: string): Promise<Turn> => {
      const turn = await lanes.enter(lane);
      begun.push(name);
      return turn;
    };
    const first = enter('a1', 'a');
    void enter('a2', 'a');
    const other = enter('b1', 'b');
    void enter('c1', 'c');
    await settled();
    assert.deepEqual(begun, ['a1', 'b1']);
    (await other).leave();
    await settled();
    assert.deepEqual(begun, ['a1', 'b1', 'c1']);
    (await first).leave();
    await settled();
    assert.deepEqual(begun, ['a1', 'b1', 'c1', 'a2']);
  });

  test('who pauses lets others run, but nobody of its own lane', async () => {
    const lanes = new Lanes(1);
    const begun: string[] = [];
    const turn = await lanes.enter('a');
    void Promise.resolve(lanes.enter('a')).then(() => begun.push('a2'));
    void Promise.resolve(lanes.enter('b')).then((one) => {
      begun.push('b1');
      one.leave();
    });
    turn.pause();
    await settled();
    assert.deepEqual(begun, ['b1']);
    await turn.resume();
    turn.leave();
    await settled();
    assert.deepEqual(begun, ['b1', 'a2']);
  });

  test('closed, it refuses whoever waits, comes or wants to go on; who runs goes on', async () => {
    const lanes = new Lanes(1);
    const running = await lanes.enter(undefined);
    const waiting = assert.rejects(async () => lanes.enter('a'), { code: 'stopping' });
    const behind = assert.rejects(async () => lanes.enter('a'), { code: 'stopping' });
    lanes.close(failure('stopping'));
    await Promise.all([waiting, behind]);
    await assert.rejects(async () => lanes.enter('b'), { code: 'stopping' });
    running.pause();
    await assert.rejects(running.resume(), { code: 'stopping' });
    running.leave();
    assert.equal(lanes.waiting, 0);
  });
});

interface Member {
  readonly id: number;
  readonly lane: string | undefined;
  state: 'waiting' | 'running' | 'paused' | 'resuming' | 'left' | 'refused';
  turn?: Turn;
}

/** Only what must hold at any time, not how it comes about. */
class Model implements Trial {
  readonly #count: number;
  readonly #lanes: Lanes;
  readonly #members: Member[] = [];
  readonly #begun: Member[] = [];
  #closed = false;

  constructor(random: Random) {
    this.#count = between(random, 1, 4);
    this.#lanes = new Lanes(this.#count);
  }

  next(random: Random): { name: string; run: () => Promise<void> } {
    const kind = pick(random, ['enter', 'enter', 'enter', 'leave', 'leave', 'pause', 'resume'] as const);
    const state = { leave: ['running', 'paused'], pause: ['running'], resume: ['paused'] } as const;
    if (between(random, 1, 200) === 1) return { name: 'close', run: () => this.#close() };
    if (kind !== 'enter') {
      const fitting = this.#members.filter((one) => (state[kind] as readonly string[]).includes(one.state));
      if (fitting.length > 0) {
        const one = pick(random, fitting);
        return { name: `${kind} ${one.id}`, run: () => this[kind](one) };
      }
    }
    const lane = pick(random, ['', 'a', 'b', 'c']);
    return { name: `enter ${lane}`, run: () => this.#enter(lane || undefined) };
  }

  check(): void {
    const of = (...states: readonly Member['state'][]): readonly Member[] =>
      this.#members.filter((one) => states.includes(one.state));
    const running = of('running');
    assert.ok(running.length <= this.#count, 'never more than so many run');
    for (const lane of ['a', 'b', 'c']) {
      const inside = of('running', 'paused', 'resuming').filter((one) => one.lane === lane);
      assert.ok(inside.length <= 1, `of lane ${lane} one at a time`);
      const ids = this.#begun.filter((one) => one.lane === lane).map((one) => one.id);
      assert.deepEqual(
        ids,
        [...ids].sort((x, y) => x - y),
        `lane ${lane} begins in the order in which it came`,
      );
    }
    const loose = this.#begun.filter((one) => one.lane === undefined).map((one) => one.id);
    assert.deepEqual(
      loose,
      [...loose].sort((x, y) => x - y),
    );
    if (this.#closed) {
      assert.deepEqual(of('waiting', 'resuming'), [], 'nobody waits once it is closed');
      return;
    }
    const busy = new Set(of('running', 'paused', 'resuming').map((one) => one.lane));
    const able = of('waiting', 'resuming').filter(
      (one) => one.state === 'resuming' || one.lane === undefined || !busy.has(one.lane),
    );
    if (running.length < this.#count) assert.deepEqual(able, [], 'nobody waits while there is room');
  }

  async #enter(lane: string | undefined): Promise<void> {
    const member: Member = { id: this.#members.length, lane, state: 'waiting' };
    this.#members.push(member);
    Promise.resolve(this.#lanes.enter(lane)).then(
      (turn) => {
        member.state = 'running';
        member.turn = turn;
        this.#begun.push(member);
      },
      () => {
        member.state = 'refused';
      },
    );
    await settled();
  }

  async leave(one: Member): Promise<void> {
    one.state = 'left';
    one.turn?.leave();
    one.turn?.leave();
    await settled();
  }

  async pause(one: Member): Promise<void> {
    one.state = 'paused';
    one.turn?.pause();
    await settled();
  }

  async resume(one: Member): Promise<void> {
    one.state = 'resuming';
    one.turn?.resume().then(
      () => {
        one.state = 'running';
      },
      () => {
        one.state = 'refused';
      },
    );
    await settled();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#lanes.close(failure('stopping'));
    await settled();
  }
}

test('lanes, with many random commands', async () => {
  await tryCommands((random) => new Model(random), { trials: 300, length: 80 });
});
