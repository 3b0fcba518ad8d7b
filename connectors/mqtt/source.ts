import { once, type Source, type SourceContext } from '#sdk';
import type { SourceOptions } from './definition.ts';
import { Inbox } from './inbox.ts';
import { keyOf, settingsOf } from './settings.ts';

const defaultReceiveMaximum = 20;

/**
 * Subscribes, and acknowledges what the flow is done with. After `stop` nothing more is handed over; what comes then stays
 * with the broker, as does what was not done when the connection ends.
 */
export async function openSource(options: SourceOptions, context: SourceContext): Promise<Source> {
  const { clock, random, log, name: flow } = context;
  const { topics, share, capacity } = options;
  const qos = options.qos === 0 ? 0 : 1;
  const receiveMaximum = Math.min(
    65_535,
    options.receiveMaximum ?? Math.max(defaultReceiveMaximum, context.concurrency ?? 1),
  );
  const make = (): Inbox => {
    const clientId = options.clientId ?? `dowel${random.uuid().replaceAll('-', '').slice(0, 16)}`;
    const session = { clientId, clean: qos === 0, sessionExpiry: options.sessionExpiry / 1000, receiveMaximum };
    return new Inbox(settingsOf(options, session), { clock, random, log, facts: { flow } });
  };
  if (options.qos === 2) {
    log.info('QoS 2 is subscribed as QoS 1, at least once: a step `idempotent` in the flow drops repeats', { flow });
  }
  // Without a client id each flow has a session of its own.
  const own = options.clientId === undefined ? flow : undefined;
  const { topics: _topics, share: _share, capacity: _capacity, ...connecting } = options;
  const shared = context.share(`mqtt:in:${keyOf(connecting, qos, receiveMaximum, own)}`, make);
  let seat: Awaited<ReturnType<Inbox['attach']>>;
  try {
    seat = await shared.value.attach({
      flow,
      topics,
      share,
      qos,
      capacity,
      deliver: context.deliver,
      log,
    });
  } catch (thrown) {
    await shared.release();
    throw thrown;
  }
  const close = once(async () => {
    seat.stop();
    await seat.leave();
    await shared.release();
  });
  return {
    get ready() {
      return shared.value.ready;
    },
    get trouble() {
      return shared.value.trouble;
    },
    async stop() {
      seat.stop();
    },
    close,
  };
}
