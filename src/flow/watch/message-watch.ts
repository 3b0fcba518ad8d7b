import type { CallLog } from '../../core/call-log.ts';
import type { Exchange, Services } from '../../core/exchange.ts';
import type { Span } from '../../core/span.ts';
import { Trace } from '../../core/trace.ts';
import type { Failure } from '../../errors.ts';
import type { Incoming } from '../../sdk.ts';
import { outcomeOf, roundedMs, statusTold } from './ending.ts';

/** Who is told of each message of a flow, or of each attempt at it. */
export interface MessageWatch {
  /** `undefined`: nobody wants to know of this one. */
  begin(id: string, incoming: Incoming, trace: Trace): WatchedMessage | undefined;
  /** One that was turned away before it began. */
  refused(incoming: Incoming, error: Failure): void;
}

export interface WatchedMessage {
  /** The one that the message goes on with. */
  readonly trace: Trace;
  /** `exchange`: what its flow ended with. */
  ended(exchange: Exchange | undefined, error: Failure | undefined): void;
}

/** What is recorded of the messages of a flow. */
export interface MessageSpans {
  /** `undefined`: it is not recorded. */
  begin(id: string, incoming: Incoming, trace: Trace): Span | undefined;
  /** `status`: what the sender is told; `undefined` where nobody waits. */
  end(span: Span, exchange: Exchange | undefined, error: Failure | undefined, status: number | undefined): void;
}

interface Watched {
  readonly flow: string;
  /** Name of the connector; `undefined`: messages that a step has kept. */
  readonly source: string | undefined;
  /** Somebody waits for the answer. */
  readonly awaited: boolean;
}

/** `undefined`: nobody is told of any. `spans`: where traces are recorded. */
export function messageWatch(
  watched: Watched,
  { callLog, clock, random }: Pick<Services, 'callLog' | 'clock' | 'random'>,
  spans: MessageSpans | undefined,
): MessageWatch | undefined {
  if (!callLog && !spans) return undefined;
  const watch: MessageWatch = {
    begin(id, incoming, own) {
      const lines = callLog?.on ? callLog : undefined;
      if (!lines && !spans) return undefined;
      const since = clock.monotonic();
      const span = spans?.begin(id, incoming, own);
      const trace = spans ? own.within(span) : own;
      return {
        trace,
        ended(exchange, error) {
          const status = watched.awaited ? statusTold(exchange, error) : undefined;
          if (span) spans?.end(span, exchange, error, status);
          if (!lines) return;
          const { attempt, requestId } = incoming.origin;
          const again = attempt > 1 ? attempt : undefined;
          const facts = { exchange: id, requestId, traceId: trace.id, status, attempt: again };
          writeLine(lines, { ...watched, ...facts, ms: roundedMs(clock.monotonic() - since) }, exchange, error);
        },
      };
    },
    refused(incoming, error) {
      const id = incoming.id ?? random.uuid();
      watch.begin(id, incoming, new Trace(id, incoming.headers, random))?.ended(undefined, error);
    },
  };
  return watch;
}

function writeLine(
  lines: CallLog,
  { flow, source, exchange: id, requestId, traceId, status, attempt, ms }: Watched & Readonly<Record<string, unknown>>,
  exchange: Exchange | undefined,
  error: Failure | undefined,
): void {
  const outcome = outcomeOf(exchange, error);
  const wrong = error ? { code: error.code, place: error.place } : {};
  const named = { flow, source, exchange: id, requestId, traceId };
  lines.write('message ended', { ...named, outcome, status, attempt, ...wrong, ms });
}
