import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { Attributes, Span, SpanKind, Tracer } from '../../core/span.ts';
import { newSpanId } from '../../core/trace.ts';
import type { FinishedSpan, SpanLink } from './finished-span.ts';
import type { Sampler } from './sampler.ts';

export interface TracerWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly sampler: Sampler;
  /** Takes a span that has ended; never throws, never waits. */
  readonly ended: (span: FinishedSpan) => void;
}

export const tracer = (world: TracerWorld): Tracer => ({
  records: world.sampler,
  begin(trace, name, kind, attributes) {
    // One reading of the calendar for a message: an adjustment of the clock meanwhile does not turn its spans around.
    const epoch = world.clock.now() - world.clock.monotonic();
    const { id: traceId, parent, state } = trace;
    return new RecordedSpan({ world, epoch, traceId, state }, parent, true, name, kind, attributes);
  },
});

/** As OpenTelemetry has it where nothing else is said. */
export const mostLinks = 128;

const linkOf = (traceparent: string): SpanLink => ({
  traceId: traceparent.slice(3, 35),
  id: traceparent.slice(36, 52),
});

/** What the spans of a message have in common. */
interface Recording {
  readonly world: TracerWorld;
  /** What the clock's monotonic time is to be added to. */
  readonly epoch: number;
  readonly traceId: string;
  readonly state: string | undefined;
}

class RecordedSpan implements Span {
  readonly id: string;
  readonly #recording: Recording;
  readonly #parent: string | undefined;
  readonly #remoteParent: boolean;
  readonly #name: string;
  readonly #kind: SpanKind;
  readonly #attributes: Record<string, Attributes[string]>;
  readonly #start: number;
  #links: readonly SpanLink[] = [];
  #ended = false;

  constructor(
    recording: Recording,
    parent: string | undefined,
    remoteParent: boolean,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
  ) {
    const { clock, random } = recording.world;
    this.id = newSpanId(random);
    this.#recording = recording;
    this.#parent = parent;
    this.#remoteParent = remoteParent;
    this.#name = name;
    this.#kind = kind;
    this.#attributes = { ...attributes };
    this.#start = clock.monotonic();
  }

  child(name: string, kind: SpanKind, attributes: Attributes): Span {
    return new RecordedSpan(this.#recording, this.id, false, name, kind, attributes);
  }

  set(attributes: Attributes): void {
    Object.assign(this.#attributes, attributes);
  }

  link(traceparents: readonly string[]): void {
    this.#links = [...this.#links, ...traceparents.map(linkOf)].slice(0, mostLinks);
  }

  end(error?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const { world, epoch, traceId, state } = this.#recording;
    world.ended({
      traceId,
      id: this.id,
      parent: this.#parent,
      remoteParent: this.#remoteParent && this.#parent !== undefined,
      state,
      name: this.#name,
      kind: this.#kind,
      start: epoch + this.#start,
      end: epoch + world.clock.monotonic(),
      attributes: this.#attributes,
      links: this.#links,
      error,
    });
  }
}
