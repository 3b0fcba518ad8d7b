/** What the tests of `source-conformance.ts` and of `endpoint-conformance.ts` stand on. */
import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import type { Connector } from '#sdk';
import { once } from '../../src/core/once.ts';
import { eventually } from './eventually.ts';
import type { PlainContext, sharing } from './plain-context.ts';
import { held } from './resources.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** The far side: started once for all tests, and ended by who started it. */
export interface Peer {
  /** Breaks all connections of what is tested off; new ones can be made at once. */
  cut(): void | Promise<void>;
  /** Nobody listens any more, until {@link up}. What has arrived stays. */
  down(): void | Promise<void>;
  up(): void | Promise<void>;
}

/** What connections through a proxy go through. */
export const behind = (proxy: TcpProxy): Peer => ({
  cut: () => proxy.reset(),
  down: () => proxy.down(),
  up: () => proxy.up(),
});

export interface Subject<P extends Peer> {
  readonly name: string;
  readonly connector: Connector;
  readonly peer: () => P | Promise<P>;
  /** Options that will never work: opening must reject, with one line that says what and what to do. */
  readonly refused?: readonly {
    readonly title: string;
    readonly options: (peer: P) => unknown | Promise<unknown>;
    readonly says: RegExp;
  }[];
  /** Tests that do not hold for this protocol, by title, each with the reason. */
  readonly except?: Readonly<Record<string, string>>;
  /** How long anything may take, in milliseconds. */
  readonly patience?: number;
}

/** What a test has opened. */
export interface Opened {
  readonly it: { readonly ready?: boolean | undefined };
  readonly context: PlainContext;
  end(): Promise<void>;
}

export interface Conformance<P extends Peer> {
  readonly peer: P;
  readonly patience: number;
  soon(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  /** A test that holds for every protocol, if the subject makes no exception. */
  check(title: string, run: (t: TestContext) => Promise<void>): void;
  /** How it is ended, once; then it must have given back all that it shared. */
  ending(t: TestContext, shared: ReturnType<typeof sharing>, close: () => Promise<void>): () => Promise<void>;
}

/** The tests of one connector. */
export function describeConformance<P extends Peer>(
  role: 'source' | 'endpoint',
  subject: Subject<P>,
  tests: (conformance: Conformance<P>) => void,
): void {
  const { name, patience = 20_000, except = {} } = subject;
  describe(`${name}: what every ${role} owes`, () => {
    let peer: P;
    before(async () => {
      peer = await subject.peer();
    });
    tests({
      get peer() {
        return peer;
      },
      patience,
      soon: (what, holds) => eventually(what, holds, patience),
      check: (title, run) => void test(title, { skip: except[title] ?? false }, run),
      ending(t, shared, close) {
        const end = once(async () => {
          await close();
          assert.deepEqual(shared.open(), [], 'what was shared is given back');
        });
        t.after(end);
        return end;
      },
    });
  });
}

/** Lines of the log that say that something is wrong. */
export const complaints = ({ log }: PlainContext): number =>
  log.lines.filter(({ level }) => level === 'warn' || level === 'error').length;

/** What `/status` shows of something that is not ready: more than that it is not. */
export const saysWhy = (trouble: string | undefined): boolean =>
  trouble !== undefined && trouble !== '' && trouble !== 'not connected yet';

/** Everything that would keep the process alive is given back: no more of a kind than `before`. */
export const givenBack = (before: Readonly<Record<string, number>>): boolean =>
  Object.entries(held()).every(([kind, count]) => count <= (before[kind] ?? 0));

/** Opening, where it cannot work now, and where it never will. `options`: of something that works. */
export function checkOpening<P extends Peer>(
  conformance: Conformance<P>,
  { refused = [] }: Subject<P>,
  options: () => Promise<unknown>,
  open: (t: TestContext, options: unknown) => Promise<Opened>,
): void {
  const { check, soon } = conformance;

  check('opens when nobody listens, is not ready, and can be closed', async (t) => {
    const given = await options();
    await conformance.peer.down();
    try {
      const { it, context, end } = await open(t, given);
      assert.equal(it.ready, false);
      await soon('the log says that it is not connected', () => complaints(context) > 0);
      await end();
    } finally {
      await conformance.peer.up();
    }
  });

  for (const { title, options: wrong, says } of refused) {
    test(`does not open with ${title}, and says why in one line`, async (t) => {
      await assert.rejects(
        async () => open(t, await wrong(conformance.peer)),
        (thrown: Error) => {
          assert.match(thrown.message, says);
          assert.doesNotMatch(thrown.message, /\n/);
          return true;
        },
      );
    });
  }
}
