import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/exchange.ts';
import type { Meter } from '../../core/meter.ts';
import type { Random } from '../../core/random.ts';
import { redactor } from '../../core/redactor.ts';
import type { Attributes, Tracer } from '../../core/span.ts';
import type { FinishedSpan, SpansOrigin } from './finished-span.ts';
import { jsonType, spansAsJson } from './otlp-json.ts';
import { protobufType, spansAsProtobuf } from './otlp-protobuf.ts';
import { receiver } from './receiver.ts';
import { samplerOf } from './sampler.ts';
import type { TracingSettings } from './settings.ts';
import { SpanExport } from './span-export.ts';
import { tracer } from './tracer.ts';

export interface TracingWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  /** Of now: a reload may bring another one. */
  readonly integration: () => { readonly name: string; readonly version?: string | undefined } | undefined;
  /** Texts that must never be sent. */
  readonly secrets: () => readonly string[];
  /** Of Dowel itself. */
  readonly version: string;
}

export interface Tracing {
  readonly tracer: Tracer;
  /** Sends what waits, within `ms`. */
  close(ms: number): Promise<void>;
}

/** Longer texts, such as endless paths, are cut: a span stays small. */
const longestText = 1024;

export function openTracing(settings: TracingSettings, world: TracingWorld): Tracing {
  const { clock, random, log, meter } = world;
  const instance = randomUUID();
  const origin = (): SpansOrigin => ({
    resource: { ...resourceOf(world, instance), ...settings.resource },
    scope: { name: 'dowel', version: world.version },
  });
  const far = receiver(settings.receiver, clock);
  const [encode, type] =
    settings.receiver.encoding === 'json' ? [spansAsJson, jsonType] : [spansAsProtobuf, protobufType];
  const spans = new SpanExport({
    clock,
    random,
    log,
    meter,
    batch: settings.batch,
    to: settings.receiver.url.origin + settings.receiver.url.pathname,
    async post(batch) {
      const clean = cleaner(world.secrets());
      const cleaned = batch.map((span) => withoutSecrets(span, clean));
      return far.post(encode(cleaned, origin()), type);
    },
  });
  return {
    tracer: tracer({ clock, random, sampler: samplerOf(settings.sampler), ended: (span) => spans.add(span) }),
    async close(ms) {
      await spans.close(ms);
      far.close();
    },
  };
}

function resourceOf({ integration, version }: TracingWorld, instance: string): Attributes {
  const { name = 'dowel', version: own } = integration() ?? {};
  return {
    'service.name': name,
    'service.version': own,
    'service.instance.id': instance,
    'telemetry.sdk.name': 'dowel',
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.version': version,
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
  };
}

/** Secrets as they are, and as they or their parts stand in a URL. */
function cleaner(secrets: readonly string[]): (text: string) => string {
  const texts = new Set(secrets.flatMap((secret) => [secret, encodeURIComponent(secret), ...partsOf(secret)]));
  const clean = redactor(() => [...texts]);
  return texts.size === 0 ? (text) => text : clean;
}

/** So long, the path of an address that is a secret as a whole may be what makes it one. */
const tellingPath = 8;

function partsOf(secret: string): readonly string[] {
  const url = URL.parse(secret);
  if (!url) return [];
  const { origin, host, pathname } = url;
  return [`${origin}${pathname}`, ...(host !== '' && pathname.length >= tellingPath ? [pathname] : [])];
}

/** Here, and not where spans are made: an exporter has time. */
function withoutSecrets(span: FinishedSpan, clean: (text: string) => string): FinishedSpan {
  // Cut first, and what is left of a secret would not be known as one.
  const text = (value: string): string => clean(value).slice(0, longestText);
  const attributes: Record<string, Attributes[string]> = {};
  for (const [name, value] of Object.entries(span.attributes)) {
    if (typeof value === 'string') attributes[name] = text(value);
    else attributes[name] = typeof value === 'object' ? value.map(text) : value;
  }
  return { ...span, name: text(span.name), attributes };
}
