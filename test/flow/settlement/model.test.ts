import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Body } from '#sdk';
import { VirtualClock } from '../../../src/core/clock.ts';
import { type Exchange, noHeaders } from '../../../src/core/exchange.ts';
import type { Random } from '../../../src/core/random.ts';
import { type Failure, failure, toFailure } from '../../../src/errors.ts';
import { InFlight } from '../../../src/flow/in-flight.ts';
import type { FlowProgram } from '../../../src/flow/program.ts';
import { Settlement } from '../../../src/flow/settlement/settlement.ts';
import { between, pick, type Trial, tryCommands } from '../../support/commands.ts';
import { plainContext } from '../../support/plain-context.ts';

const endings = ['done', 'transient', 'rejected', 'permanent'] as const;
type Ending = (typeof endings)[number];

interface Sent {
  readonly n: number;
  readonly lane: string | undefined;
  readonly first: number;
  /** How the runs of its flow ended, in order; `running` while one has not. */
  readonly runs: (Ending | 'running')[];
  readonly attempts: number[];
  fate: 'open' | 'acknowledged' | 'postponed' | 'released';
  told?: Failure;
  finish?: (ending: Ending) => void;
}

const errors: Readonly<Record<Exclude<Ending, 'done'>, () => Failure>> = {
  transient: () => failure('timeout', { what: 'It', ms: 1 }),
  rejected: () => failure('circuit-open', { endpoint: 'x', ms: 1, retryAfter: 500 }),
  permanent: () => failure('validation', { detail: 'no' }),
};

/** What must hold of every message at any time, whatever happens in whatever order. */
class Model implements Trial {
  readonly #clock = new VirtualClock();
  readonly #concurrency: number;
  readonly #maxAttempts: number;
  readonly #postpones: boolean;
  readonly #settlement: Settlement;
  readonly #sent: Sent[] = [];
  readonly #letters = new Set<number>();
  #keeperIsUp = true;
  #stopped = false;

  constructor(random: Random) {
    this.#concurrency = between(random, 1, 3);
    this.#maxAttempts = between(random, 1, 4);
    this.#postpones = pick(random, [true, false]);
    const { services } = plainContext({ clock: this.#clock });
    const redelivery = { maxAttempts: this.#maxAttempts, delay: 1000, factor: 3, maxDelay: 20_000 };
    const flow = {
      name: 'main',
      source: { name: 'main', steps: [], pointer: '', concurrency: this.#concurrency, redelivery },
      handler: async (exchange: Exchange) => exchange,
      durable: false,
      streams: false,
      settlement: { orderBy: undefined, deadLetter: undefined },
    } satisfies FlowProgram;
    this.#settlement = new Settlement(flow, {
      services,
      inFlight: new InFlight(this.#clock, services.log),
      integration: { name: 't', version: undefined },
      clean: (text) => text,
      definitionHash: undefined,
      postpones: this.#postpones,
      countsDeliveries: false,
      journal: undefined,
      keeper: async () => ({
        keep: async ({ source }) => {
          if (!this.#keeperIsUp) throw failure('store', { store: 'x', detail: 'away' });
          this.#letters.add(Number(source?.['n']));
        },
      }),
      run: ({ origin }) =>
        new Promise((resolve, reject) => {
          const one = this.#sent[Number(origin.source?.['n'])];
          if (!one) throw new Error('nobody sent this');
          one.attempts.push(origin.attempt);
          const at = one.runs.push('running') - 1;
          one.finish = (ending) => {
            one.runs[at] = ending;
            if (ending === 'done') resolve(undefined);
            else reject(errors[ending]());
          };
        }),
    });
  }

  next(random: Random): { name: string; run: () => Promise<void> } {
    const running = this.#sent.filter((one) => one.runs.at(-1) === 'running');
    const kind = pick(random, ['send', 'send', 'finish', 'finish', 'finish', 'wait', 'keeper'] as const);
    if (between(random, 1, 150) === 1) return { name: 'stop', run: () => this.#stop() };
    if (kind === 'finish' && running.length > 0) {
      const one = pick(random, running);
      const ending = pick(random, endings);
      return { name: `${ending} ${one.n}`, run: () => this.#finish(one, ending) };
    }
    if (kind === 'wait') {
      const ms = pick(random, [1, 100, 1000, 30_000]);
      return { name: `wait ${ms}`, run: () => this.#clock.advance(ms) };
    }
    if (kind === 'keeper') return { name: 'keeper', run: () => this.#turnKeeper() };
    const lane = pick(random, ['', '', 'a', 'b']) || undefined;
    const first = pick(random, [1, 1, 1, 2, this.#maxAttempts + 1]);
    return { name: `send ${lane} ${first}`, run: () => this.#send(lane, first) };
  }

  check(): void {
    const running = this.#sent.filter((one) => one.runs.at(-1) === 'running');
    assert.ok(running.length <= this.#concurrency, 'never more than so many run');
    for (const one of this.#sent) this.#checkOne(one);
    for (const lane of ['a', 'b']) this.#checkLane(this.#sent.filter((one) => one.lane === lane));
    if (this.#stopped) {
      const open = this.#sent.filter((one) => one.fate === 'open');
      assert.deepEqual(open, running, 'after a stop only what runs is open');
    }
  }

  #checkOne(one: Sent): void {
    const { n, fate, runs, first, attempts } = one;
    const ended = runs.at(-1);
    const counted = runs.filter((ending) => ending === 'transient').length;
    assert.ok(runs.length === 0 || first <= this.#maxAttempts, `${n}: what came too often is not run`);
    assert.ok(first + counted <= this.#maxAttempts + 1, `${n}: not more attempts than allowed`);
    let expected = first;
    runs.forEach((ending, index) => {
      assert.equal(attempts[index], expected, `${n}: it is told which attempt it is`);
      if (ending === 'transient') expected++;
    });
    if (fate === 'acknowledged') assert.ok(ended === 'done' || this.#letters.has(n), `${n}: done, or safe`);
    if (ended === 'done') assert.equal(fate, 'acknowledged', `${n}: what is done is acknowledged`);
    if (this.#letters.has(n)) {
      const used = first + counted > this.#maxAttempts;
      assert.ok(ended === 'permanent' || used, `${n}: a dead letter for a reason`);
      assert.equal(fate, 'acknowledged');
    }
    if (fate === 'released') assert.ok(this.#stopped, `${n}: goes back only when it stops`);
    if (fate === 'postponed') {
      assert.ok(this.#postpones && one.lane === undefined && ended === 'transient', `${n}: may be postponed`);
      assert.equal(one.told?.facts['attempt'], first + counted);
      assert.ok(Number(one.told?.facts['ms']) >= 2000);
    }
  }

  /** Of a lane nobody begins before the one before is settled. */
  #checkLane(lane: readonly Sent[]): void {
    const begun = lane.map((one) => one.runs.length > 0);
    lane.forEach((one, index) => {
      if (!begun[index]) return;
      const open = lane.slice(0, index).filter((before) => before.fate === 'open');
      assert.deepEqual(open, [], `${one.n} waits for those before it`);
    });
  }

  async #send(lane: string | undefined, first: number): Promise<void> {
    const n = this.#sent.length;
    const one: Sent = { n, lane, first, runs: [], attempts: [], fate: 'open' };
    this.#sent.push(one);
    const origin = { source: { n }, receivedAt: this.#clock.now(), attempt: first };
    const body = Body.bytes('{}', 'application/json');
    this.#settlement.deliver({ body, headers: noHeaders, origin, lane }).then(
      () => {
        one.fate = 'acknowledged';
      },
      (thrown: unknown) => {
        one.told = toFailure(thrown);
        assert.equal(one.told.kind, 'cancelled', 'a source hears of nothing else');
        one.fate = one.told.code === 'postponed' ? 'postponed' : 'released';
      },
    );
    await this.#clock.advance(0);
  }

  async #finish(one: Sent, ending: Ending): Promise<void> {
    one.finish?.(ending);
    await this.#clock.advance(0);
  }

  async #turnKeeper(): Promise<void> {
    this.#keeperIsUp = !this.#keeperIsUp;
    await this.#clock.advance(0);
  }

  async #stop(): Promise<void> {
    this.#stopped = true;
    this.#settlement.stop();
    await this.#clock.advance(0);
  }

  /** When the world is well again, everything ends. */
  async end(): Promise<void> {
    this.#keeperIsUp = true;
    for (let i = 0; i < 5 * this.#sent.length + 5; i++) {
      for (const one of this.#sent) if (one.runs.at(-1) === 'running') one.finish?.('done');
      await this.#clock.advance(70_000);
    }
    this.check();
    assert.deepEqual(
      this.#sent.filter((one) => one.fate === 'open'),
      [],
    );
    assert.equal(this.#settlement.waiting, 0);
    assert.equal(this.#clock.next, undefined, 'nothing is left to wait for');
    const { counts } = this.#settlement;
    const of = (fate: Sent['fate']): number => this.#sent.filter((one) => one.fate === fate).length;
    assert.equal(counts.received, this.#sent.length);
    assert.equal(counts.delivered + counts.deadLettered, of('acknowledged'));
    assert.equal(counts.deadLettered, this.#letters.size);
    assert.equal(counts.postponed, of('postponed'));
    assert.equal(counts.released, of('released'));
  }
}

test('settlement, with many random commands', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const models: Model[] = [];
    const make = (random: Random): Model => {
      const model = new Model(random);
      models.push(model);
      return model;
    };
    await tryCommands(make, { trials: 1, length: 60, seed });
    for (const model of models) await model.end();
  }
});
