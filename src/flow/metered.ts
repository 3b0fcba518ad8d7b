/** What is counted and timed of messages and calls. */
import type { Clock } from '../core/clock.ts';
import type { Handler } from '../core/exchange.ts';
import type { Counter, Meter } from '../core/meter.ts';
import { type Failure, toFailure } from '../errors.ts';

/** `code`: of the error; a flow or an endpoint meets few of them. */
type Ended = (outcome: 'done' | 'dropped' | 'failed' | 'rejected' | 'cancelled', code?: string) => Counter;

function series(meter: Meter, name: string, help: string, labels: Readonly<Record<string, string>>): Ended {
  const known = new Map<string, Counter>();
  return (outcome, code = '') => {
    const key = `${outcome} ${code}`;
    let counter = known.get(key);
    if (!counter) {
      counter = meter.counter(name, help, { ...labels, outcome, code });
      known.set(key, counter);
    }
    return counter;
  };
}

function failed(ended: Ended, { kind, code }: Failure): Counter {
  return ended(kind === 'rejected' || kind === 'cancelled' ? kind : 'failed', code);
}

/** One message, or one attempt at it. */
export interface MessageMeter {
  /** `ms`: since it began. `dropped`: its flow ended it quietly. */
  done(ms: number, dropped: boolean): void;
  failed(ms: number, error: Failure): void;
  /** Turned away before it began. */
  refused(error: Failure): void;
}

/** `underWay`: how many messages are in the flow. */
export function messageMeter(flow: string, meter: Meter, underWay: () => number): MessageMeter {
  const help = 'Messages that have gone through a flow, or attempts at them, by how they ended.';
  const ended = series(meter, 'dowel_messages_total', help, { flow });
  const took = meter.histogram('dowel_message_duration_seconds', 'How long a message was in its flow.', { flow });
  const [done, dropped] = [ended('done'), ended('dropped')];
  meter.gauge('dowel_messages_in_flight', 'Messages that are in a flow.', { flow }, underWay);
  return {
    done(ms, quietly) {
      took.record(ms / 1000);
      (quietly ? dropped : done).add();
    },
    failed(ms, error) {
      took.record(ms / 1000);
      failed(ended, error).add();
    },
    refused(error) {
      failed(ended, error).add();
    },
  };
}

/** Around all policies: a call is what a step asked for, however often it was tried. */
export function callMeter(endpoint: string, meter: Meter, clock: Clock): (next: Handler) => Handler {
  const ended = series(meter, 'dowel_calls_total', 'Calls of an endpoint by how they ended, retries included.', {
    endpoint,
  });
  const took = meter.histogram('dowel_call_duration_seconds', 'How long a call took, retries included.', { endpoint });
  const done = ended('done');
  let running = 0;
  meter.gauge('dowel_calls_in_flight', 'Calls that are under way.', { endpoint }, () => running);
  return (next) => (exchange) => {
    const start = clock.monotonic();
    const end = (): void => {
      running--;
      took.record((clock.monotonic() - start) / 1000);
    };
    running++;
    const answer = next(exchange);
    // Beside the way of the answer: counting does not hold it up.
    answer.then(
      () => {
        end();
        done.add();
      },
      (thrown: unknown) => {
        end();
        failed(ended, toFailure(thrown)).add();
      },
    );
    return answer;
  };
}

/** Inside all policies: what really went out. */
export function attemptMeter(endpoint: string, meter: Meter): (next: Handler) => Handler {
  const attempts = meter.counter('dowel_call_attempts_total', 'What went out to an endpoint, retries included.', {
    endpoint,
  });
  return (next) => (exchange) => {
    attempts.add();
    return next(exchange);
  };
}
