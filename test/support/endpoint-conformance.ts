/**
 * What every endpoint owes that hands messages to a broker, whatever its protocol: the other half of
 * what `source-conformance.ts` asks for. A connector's test gives an adapter ({@link EndpointSubject}).
 */
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import {
  Body,
  type Connector,
  type Endpoint,
  type Exchange,
  type Failure,
  failure,
  type Headers,
  toFailure,
} from '#sdk';
import { systemClock } from '../../src/core/clock.ts';
import { Life } from '../../src/core/life.ts';
import { eventually } from './eventually.ts';
import { outgoing, type PlainContext, plainContext, sharing } from './plain-context.ts';
import { held } from './resources.ts';

export interface Received {
  readonly text: string;
  readonly headers: Headers;
  readonly contentType?: string | undefined;
}

/** Somewhere of its own at the far side, made for one test. */
export interface Target {
  /** Of an endpoint that writes there, with every default filled in. */
  readonly options: unknown;
  /** Of each call. */
  readonly operation?: unknown;
  /** All that has arrived there so far, in its order; each time all of it. */
  received(): readonly Received[] | Promise<readonly Received[]>;
}

export interface EndpointPeer {
  target(): Promise<Target>;
  /** Breaks all connections of endpoints off; new ones can be made at once. */
  cut(): void | Promise<void>;
  /** Nobody listens any more, until {@link up}. What has arrived stays. */
  down(): void | Promise<void>;
  up(): void | Promise<void>;
  close(): void | Promise<void>;
}

export interface EndpointSubject {
  readonly name: string;
  readonly connector: Connector;
  readonly peer: () => EndpointPeer | Promise<EndpointPeer>;
  /** Options that will never work: opening must reject, with one line that says what and what to do. */
  readonly refused?: readonly {
    readonly title: string;
    readonly options: (peer: EndpointPeer) => unknown | Promise<unknown>;
    readonly says: RegExp;
  }[];
  /** Tests that do not hold for this protocol, by title, each with the reason. */
  readonly except?: Readonly<Record<string, string>>;
  readonly patience?: number;
}

interface Opened {
  readonly endpoint: Endpoint;
  readonly context: PlainContext;
  /** `ms`: its deadline. */
  send(text: string, ms?: number): Promise<Exchange | undefined>;
  end(): Promise<void>;
}

export function describeEndpoint(subject: EndpointSubject): void {
  const { name, connector, patience = 20_000 } = subject;
  describe(`${name}: what every endpoint owes`, () => {
    let peer: EndpointPeer;
    before(async () => {
      peer = await subject.peer();
    });
    after(() => peer.close());

    const soon = (what: string, holds: () => boolean | Promise<boolean>): Promise<void> =>
      eventually(what, holds, patience);

    const open = async (
      t: TestContext,
      { options, operation }: Pick<Target, 'options' | 'operation'>,
    ): Promise<Opened> => {
      const shared = sharing();
      const context = plainContext({ name: 'far', clock: systemClock, share: shared.share });
      const module = await connector.endpoint?.();
      assert.ok(module, 'the connector has an endpoint');
      const endpoint = await module.openEndpoint(options as never, context);
      let ended: Promise<void> | undefined;
      const ending = async (): Promise<void> => {
        await endpoint.close();
        assert.deepEqual(shared.open(), [], 'what was shared is given back');
      };
      const end = (): Promise<void> => {
        ended ??= ending();
        return ended;
      };
      t.after(end);
      const send = async (text: string, ms = patience): Promise<Exchange | undefined> => {
        const late = (): Failure => failure('timeout', { endpoint: 'far', ms });
        const life = new Life(systemClock, { deadline: systemClock.monotonic() + ms, late });
        const body = Body.bytes(text, 'application/json');
        try {
          return await endpoint.handle(outgoing(context, { body, operation }).with({ life }));
        } finally {
          life.end();
        }
      };
      return { endpoint, context, send, end };
    };

    const texts = async (target: Target): Promise<readonly string[]> =>
      (await target.received()).map((one) => one.text);

    const check = (title: string, run: (t: TestContext) => Promise<void>): void => {
      test(title, { skip: subject.except?.[title] ?? false }, run);
    };

    check('a message that was sent is at the far side, with its bytes', async (t) => {
      const target = await peer.target();
      const { send } = await open(t, target);
      await send('{"n": 1}');
      await send('{"n": 2}');
      await soon('both are there', async () => (await target.received()).length >= 2);
      assert.deepEqual(await texts(target), ['{"n": 1}', '{"n": 2}']);
    });

    check('headers and the content type go along', async (t) => {
      const target = await peer.target();
      const { endpoint, context } = await open(t, target);
      const body = Body.bytes('<a/>', 'application/xml');
      const ownHeaders = { 'x-kind': 'odd', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
      await endpoint.handle(outgoing(context, { body, ownHeaders, operation: target.operation }));
      await soon('it is there', async () => (await target.received()).length >= 1);
      const [received] = await target.received();
      assert.equal(received?.contentType, 'application/xml');
      assert.equal(received?.headers['x-kind'], 'odd');
      assert.equal(received?.headers['traceparent'], ownHeaders.traceparent);
    });

    check('many side by side arrive once each', async (t) => {
      const target = await peer.target();
      const { send } = await open(t, target);
      const all = Array.from({ length: 200 }, (_, n) => String(n));
      await Promise.all(all.map((text) => send(text)));
      await soon('all are there', async () => (await target.received()).length >= all.length);
      assert.deepEqual([...(await texts(target))].sort(), [...all].sort());
    });

    check('closing twice is closing once', async (t) => {
      const target = await peer.target();
      const { endpoint } = await open(t, target);
      await Promise.all([endpoint.close(), endpoint.close()]);
      await endpoint.close();
    });

    check('opens when nobody listens, is not ready, and can be closed', async (t) => {
      const target = await peer.target();
      await peer.down();
      try {
        const { endpoint, context, end } = await open(t, target);
        assert.equal(endpoint.ready, false);
        await soon('the log says that it is not connected', () =>
          context.log.lines.some(({ level }) => level === 'warn' || level === 'error'),
        );
        await end();
      } finally {
        await peer.up();
      }
    });

    check('a call waits for the connection, until its own time is over', async (t) => {
      const target = await peer.target();
      const { endpoint, send } = await open(t, target);
      await soon('it is ready', () => endpoint.ready === true);
      await peer.down();
      let waiting: Promise<unknown> | undefined;
      try {
        await soon('it is not ready', () => endpoint.ready === false);
        const failed = await send('too late', 200).then(() => undefined, toFailure);
        assert.equal(failed?.kind, 'transient');
        assert.ok(failed && ['connection', 'timeout'].includes(failed.code), failed?.code);
        waiting = send('in time');
      } finally {
        await peer.up();
      }
      await waiting;
      await soon('it is there', async () => (await texts(target)).includes('in time'));
      assert.equal((await texts(target)).includes('too late'), false);
      await soon('it is ready again', () => endpoint.ready === true);
    });

    check('what was confirmed is there, whatever happens to the connection meanwhile', async (t) => {
      const target = await peer.target();
      const { send } = await open(t, target);
      await send('first');
      const all = Array.from({ length: 300 }, (_, n) => String(n));
      const results = Promise.allSettled(
        all.map(async (text, index) => {
          if (index === 150) await peer.cut();
          await send(text);
          return text;
        }),
      );
      const confirmed: string[] = [];
      for (const one of await results) {
        if (one.status === 'fulfilled') confirmed.push(one.value);
        else assert.equal(toFailure(one.reason).kind, 'transient', toFailure(one.reason).message);
      }
      await soon('all that was confirmed is there', async () => {
        const there = new Set(await texts(target));
        return confirmed.every((text) => there.has(text));
      });
      await send('last');
    });

    check('a call that is given up ends at once, and does no harm', async (t) => {
      const target = await peer.target();
      await peer.down();
      try {
        const { endpoint, context } = await open(t, target);
        const life = new Life(systemClock);
        const body = Body.bytes('1', 'application/json');
        const call = endpoint.handle(outgoing(context, { body, operation: target.operation }).with({ life }));
        const ended = assert.rejects(call, (thrown) => ['aborted', 'connection'].includes(toFailure(thrown).code));
        life.abort(failure('aborted', { detail: 'nobody waits' }));
        await ended;
      } finally {
        await peer.up();
      }
    });

    check('leaves nothing behind that keeps the process alive', async (t) => {
      const target = await peer.target();
      const warm = await open(t, target);
      await warm.send('1');
      await warm.end();
      const before = held();
      const one = await open(t, target);
      await one.send('2');
      await one.end();
      await soon('everything it held is given back', () => {
        const now = held();
        return Object.keys(now).every((kind) => (now[kind] ?? 0) <= (before[kind] ?? 0));
      });
    });

    for (const { title, options, says } of subject.refused ?? []) {
      test(`does not open with ${title}, and says why in one line`, async (t) => {
        await assert.rejects(
          async () => open(t, { options: await options(peer) }),
          (thrown: Error) => {
            assert.match(thrown.message, says);
            assert.doesNotMatch(thrown.message, /\n/);
            return true;
          },
        );
      });
    }
  });
}
