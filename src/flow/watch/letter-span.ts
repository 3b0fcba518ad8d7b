import type { Tracer } from '../../core/span.ts';
import type { Failure } from '../../errors.ts';
import type { Dead } from '../settlement/letters.ts';
import { errorOf } from './ending.ts';

/** What is done to put a dead letter away, in the trace of its message. */
export interface WatchedLetter {
  readonly dead: Dead;
  ended(error?: Failure): void;
}

/** `tracer`: absent where no traces are recorded. */
export function watchedLetter(tracer: Tracer | undefined, flow: string, dead: Dead): WatchedLetter {
  if (!tracer) return { dead, ended() {} };
  const { trace, id, attempts, error } = dead;
  if (!tracer.records(trace)) return { dead: { ...dead, trace: trace.within(undefined) }, ended() {} };
  const span = tracer.begin(trace, `dead letter ${flow}`, 'internal', {
    'dowel.flow': flow,
    'dowel.exchange.id': id,
    'dowel.attempt': attempts,
    'dowel.error.code': error.code,
    'dowel.error.place': error.place,
  });
  return {
    dead: { ...dead, trace: trace.within(span) },
    ended: (failed) => span.end(failed && errorOf(failed)),
  };
}
