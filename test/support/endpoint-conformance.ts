/**
 * What every endpoint owes that hands messages to a broker, whatever its protocol: the other half of
 * what `source-conformance.ts` asks for. A connector's test gives an adapter ({@link EndpointPeer}).
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Body, type Endpoint, type Exchange, type Failure, failure, type Headers, toFailure } from '#sdk';
import { systemClock } from '../../src/core/clock.ts';
import { Life } from '../../src/core/life.ts';
import {
  checkOpening,
  describeConformance,
  givenBack,
  type Opened,
  type Peer,
  type Subject,
  saysWhy,
} from './conformance.ts';
import { outgoing, plainContext, sharing } from './plain-context.ts';
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

export interface EndpointPeer extends Peer {
  target(): Promise<Target>;
}

interface OpenedEndpoint extends Opened {
  readonly it: Endpoint;
  /** `ms`: its deadline. */
  send(text: string, ms?: number): Promise<Exchange | undefined>;
}

export function describeEndpoint(subject: Subject<EndpointPeer>): void {
  const { connector } = subject;
  describeConformance('endpoint', subject, (far) => {
    const { soon, check, patience } = far;

    const open = async (
      t: TestContext,
      { options, operation }: Pick<Target, 'options' | 'operation'>,
    ): Promise<OpenedEndpoint> => {
      const shared = sharing();
      const context = plainContext({ name: 'far', clock: systemClock, share: shared.share });
      const module = await connector.endpoint?.();
      assert.ok(module, 'the connector has an endpoint');
      const endpoint = await module.openEndpoint(options as never, context);
      const end = far.ending(t, shared, () => endpoint.close());
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
      return { it: endpoint, context, send, end };
    };

    const texts = async (target: Target): Promise<readonly string[]> =>
      (await target.received()).map((one) => one.text);

    check('a message that was sent is at the far side, with its bytes', async (t) => {
      const target = await far.peer.target();
      const { send } = await open(t, target);
      await send('{"n": 1}');
      await send('{"n": 2}');
      await soon('both are there', async () => (await target.received()).length >= 2);
      assert.deepEqual(await texts(target), ['{"n": 1}', '{"n": 2}']);
    });

    check('headers and the content type go along', async (t) => {
      const target = await far.peer.target();
      const { it: endpoint, context } = await open(t, target);
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
      const target = await far.peer.target();
      const { send } = await open(t, target);
      const all = Array.from({ length: 200 }, (_, n) => String(n));
      await Promise.all(all.map((text) => send(text)));
      await soon('all are there', async () => (await target.received()).length >= all.length);
      assert.deepEqual([...(await texts(target))].sort(), [...all].sort());
    });

    check('closing twice is closing once', async (t) => {
      const target = await far.peer.target();
      const { it: endpoint } = await open(t, target);
      await Promise.all([endpoint.close(), endpoint.close()]);
      await endpoint.close();
    });

    check('a call waits for the connection, until its own time is over', async (t) => {
      const target = await far.peer.target();
      const { it: endpoint, send } = await open(t, target);
      await soon('it is ready', () => endpoint.ready === true);
      await far.peer.down();
      let waiting: Promise<unknown> | undefined;
      try {
        await soon('it is not ready', () => endpoint.ready === false);
        await soon('it says why', () => saysWhy(endpoint.trouble));
        const failed = await send('too late', 200).then(() => undefined, toFailure);
        assert.equal(failed?.kind, 'transient');
        assert.ok(failed && ['connection', 'timeout'].includes(failed.code), failed?.code);
        waiting = send('in time');
      } finally {
        await far.peer.up();
      }
      await waiting;
      await soon('it is there', async () => (await texts(target)).includes('in time'));
      assert.equal((await texts(target)).includes('too late'), false);
      await soon('it is ready again', () => endpoint.ready === true);
    });

    check('what was confirmed is there, whatever happens to the connection meanwhile', async (t) => {
      const target = await far.peer.target();
      const { send } = await open(t, target);
      await send('first');
      const all = Array.from({ length: 300 }, (_, n) => String(n));
      const results = Promise.allSettled(
        all.map(async (text, index) => {
          if (index === 150) await far.peer.cut();
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
      const target = await far.peer.target();
      await far.peer.down();
      try {
        const { it: endpoint, context } = await open(t, target);
        const life = new Life(systemClock);
        const body = Body.bytes('1', 'application/json');
        const call = endpoint.handle(outgoing(context, { body, operation: target.operation }).with({ life }));
        const ended = assert.rejects(call, (thrown) => ['aborted', 'connection'].includes(toFailure(thrown).code));
        life.abort(failure('aborted', { detail: 'nobody waits' }));
        await ended;
      } finally {
        await far.peer.up();
      }
    });

    check('leaves nothing behind that keeps the process alive', async (t) => {
      const target = await far.peer.target();
      const warm = await open(t, target);
      await warm.send('1');
      await warm.end();
      const before = held();
      const one = await open(t, target);
      await one.send('2');
      await one.end();
      await soon('everything it held is given back', () => givenBack(before));
    });

    const options = async (): Promise<unknown> => (await far.peer.target()).options;
    checkOpening(far, subject, options, (t, given) => open(t, { options: given }));
  });
}
