import { Body, type Codec, type Deliver, type EndpointContext, failure, type Incoming, type SourceContext } from '#sdk';
import { type Clock, VirtualClock } from '../../src/core/clock.ts';
import { Exchange, type Headers, type Log, noHeaders, type Services } from '../../src/core/exchange.ts';
import { Life } from '../../src/core/life.ts';
import { noMeter } from '../../src/core/meter.ts';
import { seededRandom } from '../../src/core/random.ts';
import { asked } from '../../src/flow/asked.ts';
import { compileJsonSchema } from '../../src/schema/validator.ts';

/** JSON and text, enough to carry a body through a connector that does not care. */
export const plainCodec: Codec = {
  defaultType: 'application/json',
  read: (bytes) => (bytes.length === 0 ? undefined : JSON.parse(Buffer.from(bytes).toString())),
  write: (value, contentType) =>
    typeof value === 'string'
      ? { bytes: value, contentType: contentType ?? 'text/plain; charset=utf-8' }
      : { bytes: JSON.stringify(value), contentType: contentType ?? 'application/json' },
};

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RecordingLog extends Log {
  readonly lines: readonly LogLine[];
}

export function recordingLog(): RecordingLog {
  const lines: LogLine[] = [];
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      lines.push({ level, message, fields });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), debugging: true };
}

/** `context.share` as the runtime promises it: made at the first, closed after the last. */
export function sharing(): { readonly share: SourceContext['share']; readonly open: () => readonly string[] } {
  const shared = new Map<string, { readonly value: { close(): Promise<void> }; users: number }>();
  const share = <T extends { close(): Promise<void> }>(key: string, make: () => T) => {
    const entry = shared.get(key) ?? { value: make(), users: 0 };
    shared.set(key, entry);
    entry.users += 1;
    let held = true;
    return {
      value: entry.value as T,
      async release() {
        if (!held) return;
        held = false;
        entry.users -= 1;
        if (entry.users > 0) return;
        shared.delete(key);
        await entry.value.close();
      },
    };
  };
  return { share, open: () => [...shared.keys()] };
}

/** Fits sources and endpoints alike: what differs between them is the carrier, and there is none. */
export type PlainContext = Omit<SourceContext, 'openCarrier'> &
  Omit<EndpointContext, 'openCarrier'> & {
    readonly log: RecordingLog;
    /** What a shutdown would wait for. */
    readonly underWay: ReadonlySet<string>;
  };

export interface PlainOptions {
  readonly name?: string;
  readonly clock?: Clock;
  readonly deliver?: Deliver;
  readonly needsWholeBody?: boolean;
  readonly concurrency?: number;
  readonly share?: SourceContext['share'];
}

/** What a source or an endpoint gets from the runtime, for a connector that needs no server and no carrier. */
export function plainContext(options: PlainOptions = {}): PlainContext {
  const clock = options.clock ?? new VirtualClock();
  const log = recordingLog();
  const random = seededRandom(1);
  const underWay = new Set<string>();
  const background: Services['background'] = (work, what = '') => {
    underWay.add(what);
    void work.finally(() => underWay.delete(what));
  };
  const services: Services = { clock, random, codec: plainCodec, config: {}, log, meter: noMeter, background };
  return {
    underWay,
    name: options.name ?? 'flow',
    integration: { name: 'test', version: undefined },
    server: { host: '127.0.0.1', port: 0 },
    clock,
    random,
    log,
    services,
    share: options.share ?? sharing().share,
    jsonSchema: compileJsonSchema,
    deliver: options.deliver ?? (async () => undefined),
    expression: asked(services),
    needsWholeBody: options.needsWholeBody ?? false,
    concurrency: options.concurrency,
    inOrder: (options.concurrency ?? 1) === 1,
    queue: (called) => {
      throw new Error(`no test gave a store for the queue ${called}`);
    },
  };
}

/** A message on its way to an endpoint, as the `send` step hands it over. */
export function outgoing(
  context: PlainContext,
  message: { readonly body?: Body; readonly ownHeaders?: Headers; readonly operation?: unknown } = {},
): Exchange {
  return Exchange.create({
    id: context.random.uuid(),
    flow: 'sender',
    services: context.services,
    life: new Life(context.clock),
    origin: { receivedAt: context.clock.now(), attempt: 1 },
  }).with({
    body: message.body ?? Body.empty,
    ownHeaders: message.ownHeaders ?? noHeaders,
    operation: message.operation,
  });
}

export interface Delivery {
  readonly message: Incoming;
  resolve(): void;
  reject(error: unknown): void;
}

/** A flow whose messages are settled by hand. */
export class ManualFlow {
  readonly deliveries: Delivery[] = [];
  readonly deliver: Deliver = (message) =>
    new Promise((resolve, reject) => {
      this.deliveries.push({ message, resolve: () => resolve(undefined), reject });
    });

  /** Notes the message and is done with it at once. */
  readonly record: Deliver = async (message) => {
    void this.deliver(message);
    return undefined;
  };

  at(index: number): Delivery {
    const delivery = this.deliveries[index];
    if (!delivery) throw failure('bug', { detail: `there are only ${this.deliveries.length} deliveries` });
    return delivery;
  }

  sources(): readonly (Readonly<Record<string, unknown>> | undefined)[] {
    return this.deliveries.map((one) => one.message.origin.source);
  }
}
