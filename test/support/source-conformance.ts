/**
 * What every source owes whose messages wait at the far side until they are settled, whatever its protocol. A connector's
 * test gives an adapter ({@link SourcePeer}) and has these tests.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Deliver, failure, type Incoming, type Source } from '#sdk';
import { systemClock } from '../../src/core/clock.ts';
import {
  checkOpening,
  complaints,
  describeConformance,
  givenBack,
  type Opened,
  type Peer,
  type Subject,
  saysWhy,
} from './conformance.ts';
import { ManualFlow, type PlainContext, plainContext, sharing } from './plain-context.ts';
import { held } from './resources.ts';

/** Somewhere of its own at the far side, made for one test: a queue, a topic. */
export interface Place {
  /** Of a source that reads there, with every default filled in. */
  readonly options: unknown;
  /** Resolves when all of these are at the far side, in this order; also before anybody has opened a source there. */
  publish(texts: readonly string[]): Promise<void>;
}

export interface SourcePeer extends Peer {
  place(): Promise<Place>;
}

interface OpenedSource extends Opened {
  readonly it: Source;
  readonly flow: ManualFlow;
  /** The texts of all messages handed over so far. */
  texts(): Promise<readonly string[]>;
}

const stopping = (): Error => failure('stopping', {}, { kind: 'cancelled' });

const textOf = async ({ body }: Incoming, { services }: PlainContext): Promise<string> =>
  Buffer.from((await body.bytes(services.codec)) as string).toString();

export function describeSource(subject: Subject<SourcePeer>): void {
  const { connector } = subject;
  describeConformance('source', subject, (far) => {
    const { soon, check } = far;

    const open = async (
      t: TestContext,
      options: unknown,
      more: { readonly concurrency?: number; readonly flow?: ManualFlow; readonly done?: boolean } = {},
    ): Promise<OpenedSource> => {
      const flow = more.flow ?? new ManualFlow();
      const shared = sharing();
      let isOver = false;
      const deliver: Deliver = (message) => {
        if (isOver) return Promise.reject(stopping());
        return more.done ? flow.record(message) : flow.deliver(message);
      };
      const context = plainContext({
        name: 'main',
        clock: systemClock,
        deliver,
        needsWholeBody: true,
        share: shared.share,
        ...(more.concurrency === undefined ? {} : { concurrency: more.concurrency }),
      });
      const module = await connector.source?.();
      assert.ok(module, 'the connector has a source');
      const source = await module.openSource(options as never, context);
      // As the runtime ends a source: nothing new, what is open goes back, everything is closed.
      const end = far.ending(t, shared, async () => {
        await source.stop();
        isOver = true;
        if (!more.done) for (const one of flow.deliveries) one.reject(stopping());
        await source.close();
      });
      const texts = (): Promise<readonly string[]> =>
        Promise.all(flow.deliveries.map((one) => textOf(one.message, context)));
      return { it: source, flow, context, texts, end };
    };

    const reached = (one: OpenedSource, count: number): Promise<void> =>
      soon(`${count} messages are handed over`, () => one.flow.deliveries.length >= count);

    /** What is left at a place: everything that a new source gets, up to a message published last. */
    const left = async (t: TestContext, place: Place): Promise<readonly string[]> => {
      const mark = `end ${Math.random()}`;
      await place.publish([mark]);
      const reader = await open(t, place.options, { done: true, concurrency: 1000 });
      await soon('all that is left comes', async () => (await reader.texts()).includes(mark));
      await reader.end();
      return (await reader.texts()).filter((text) => text !== mark);
    };

    check('hands over what came, in order, with its bytes and its first attempt', async (t) => {
      const place = await far.peer.place();
      await place.publish(['{"n": 1}', '{"n": 2}', '{"n": 3}']);
      const one = await open(t, place.options);
      await reached(one, 3);
      assert.deepEqual(await one.texts(), ['{"n": 1}', '{"n": 2}', '{"n": 3}']);
      for (const { message } of one.flow.deliveries) {
        assert.equal(message.origin.attempt, 1);
        assert.ok(message.origin.receivedAt > 0);
        assert.ok(message.origin.source, '`$source` has something');
        const names = Object.keys(message.headers);
        assert.deepEqual(
          names,
          names.map((header) => header.toLowerCase()),
        );
      }
    });

    check('what was done is acknowledged, and does not come again', async (t) => {
      const place = await far.peer.place();
      await place.publish(['1', '2', '3']);
      const one = await open(t, place.options);
      await reached(one, 3);
      // Not in their order: each is acknowledged for itself.
      for (const index of [1, 0, 2]) one.flow.at(index).resolve();
      await one.end();
      assert.deepEqual(await left(t, place), []);
    });

    check('what is not settled when the source ends comes again; what was, does not', async (t) => {
      const place = await far.peer.place();
      await place.publish(['1', '2', '3']);
      const one = await open(t, place.options);
      await reached(one, 3);
      one.flow.at(0).resolve();
      await one.end();
      assert.deepEqual(await left(t, place), ['2', '3']);
    });

    check('closing twice is closing once, and stopping twice too', async (t) => {
      const place = await far.peer.place();
      const { it: source } = await open(t, place.options);
      await Promise.all([source.stop(), source.stop()]);
      await Promise.all([source.close(), source.close()]);
      await source.close();
    });

    check('can be closed before it is connected', async (t) => {
      const place = await far.peer.place();
      await place.publish(['1']);
      const { it: source, end } = await open(t, place.options);
      // No matter how far it has come by now.
      const closed = source.close();
      await end();
      await closed;
      assert.deepEqual(await left(t, place), ['1']);
    });

    check('readiness follows the far side, and messages come again when it is back', async (t) => {
      const place = await far.peer.place();
      const one = await open(t, place.options);
      await soon('it is ready', () => one.it.ready === true);
      await far.peer.down();
      try {
        await soon('it is not ready', () => one.it.ready === false);
        await soon('it says why', () => saysWhy(one.it.trouble));
        const told = complaints(one.context);
        assert.ok(told > 0, 'the log says that the connection is lost');
        assert.ok(told < 5, 'it says so once, not at every try');
      } finally {
        await far.peer.up();
      }
      await soon('it is ready again', () => one.it.ready === true);
      await place.publish(['after']);
      await reached(one, 1);
      assert.deepEqual(await one.texts(), ['after']);
    });

    check('a message under way when the connection breaks comes again; its late end does no harm', async (t) => {
      const place = await far.peer.place();
      const one = await open(t, place.options);
      await place.publish(['1']);
      await reached(one, 1);
      await far.peer.cut();
      await reached(one, 2);
      assert.deepEqual(await one.texts(), ['1', '1']);
      one.flow.at(0).resolve();
      one.flow.at(1).resolve();
      await place.publish(['2']);
      await reached(one, 3);
      one.flow.at(2).resolve();
      await one.end();
      assert.deepEqual(await left(t, place), []);
    });

    check('what is under way is finished when it stops, and nothing new is begun', async (t) => {
      const place = await far.peer.place();
      await place.publish(['1', '2']);
      const one = await open(t, place.options);
      await reached(one, 2);
      await one.it.stop();
      const begun = one.flow.deliveries.length;
      await place.publish(['3']);
      const closed = one.it.close();
      one.flow.at(0).resolve();
      one.flow.at(1).resolve();
      await closed;
      assert.equal(one.flow.deliveries.length, begun);
      assert.deepEqual(await left(t, place), ['3']);
    });

    check('what is aborted when the time to finish is over goes back, and closing ends', async (t) => {
      const place = await far.peer.place();
      await place.publish(['1', '2']);
      const one = await open(t, place.options);
      await reached(one, 2);
      await one.it.stop();
      one.flow.at(0).resolve();
      one.flow.at(1).reject(failure('aborted', { detail: 'the integration is stopping' }));
      await one.it.close();
      assert.deepEqual(await left(t, place), ['2']);
    });

    check('closes though the far side is gone', async (t) => {
      const place = await far.peer.place();
      await place.publish(['1']);
      const one = await open(t, place.options);
      await reached(one, 1);
      await far.peer.down();
      try {
        one.flow.at(0).resolve();
        await one.end();
      } finally {
        await far.peer.up();
      }
      // It was not acknowledged, or was just before: both are right.
      const again = await left(t, place);
      assert.ok(again.length <= 1);
    });

    check('hands over at most so many at once', async (t) => {
      const place = await far.peer.place();
      const texts = Array.from({ length: 60 }, (_, index) => String(index));
      await place.publish(texts);
      const one = await open(t, place.options);
      await reached(one, 1);
      for (let settled = 0; settled < texts.length; settled++) {
        await reached(one, settled + 1);
        const open = one.flow.deliveries.length - settled;
        assert.ok(open <= 20, `${open} messages are handed over at once`);
        one.flow.at(settled).resolve();
      }
      assert.deepEqual([...(await one.texts())].sort(), [...texts].sort());
      await one.end();
      assert.deepEqual(await left(t, place), []);
    });

    check('hands over as many at once as the flow works on at once', async (t) => {
      const place = await far.peer.place();
      const texts = Array.from({ length: 40 }, (_, index) => String(index));
      await place.publish(texts);
      const one = await open(t, place.options, { concurrency: 40 });
      await reached(one, 40);
      for (const delivery of one.flow.deliveries) delivery.resolve();
      await one.end();
      assert.deepEqual(await left(t, place), []);
    });

    if (connector.definition.postpones) {
      check('a message that is postponed comes again, as the attempt that it was told', async (t) => {
        const place = await far.peer.place();
        await place.publish(['1']);
        const one = await open(t, place.options);
        await reached(one, 1);
        one.flow.at(0).reject(failure('postponed', { ms: 50, attempt: 3 }));
        await reached(one, 2);
        assert.equal(one.flow.at(1).message.origin.attempt, 3);
        assert.deepEqual(await one.texts(), ['1', '1']);
        one.flow.at(1).resolve();
        await one.end();
        assert.deepEqual(await left(t, place), []);
      });
    }

    check('leaves nothing behind that keeps the process alive', async (t) => {
      const place = await far.peer.place();
      await place.publish(['1', '2']);
      const warm = await open(t, place.options);
      await reached(warm, 2);
      await warm.end();
      const before = held();
      const one = await open(t, place.options);
      await reached(one, 2);
      one.flow.at(0).resolve();
      await one.end();
      await soon('everything it held is given back', () => givenBack(before));
    });

    checkOpening(far, subject, async () => (await far.peer.place()).options, open);
  });
}
