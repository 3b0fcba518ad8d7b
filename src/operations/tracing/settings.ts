/**
 * What the environment says about traces, in the standard variables of OpenTelemetry
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 */
import { readFileSync } from 'node:fs';
import type { Attributes } from '../../core/span.ts';
import { type SamplerSettings, samplers } from './sampler.ts';

export interface TracingSettings {
  readonly receiver: ReceiverSettings;
  readonly sampler: SamplerSettings;
  readonly batch: BatchSettings;
  /** What it says about the process: `service.name` and others. */
  readonly resource: Attributes;
}

/** Times are milliseconds. */
export interface ReceiverSettings {
  readonly url: URL;
  readonly encoding: 'protobuf' | 'json';
  readonly gzip: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** How long one request may take. */
  readonly timeout: number;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

export interface BatchSettings {
  /** How long a span waits for others. */
  readonly delay: number;
  /** How many may wait; more are dropped. */
  readonly capacity: number;
  /** How many go out at once. */
  readonly size: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `undefined`: traces are switched off after all. A text says what is wrong with the environment. */
export function tracingSettings(env: Environment): TracingSettings | undefined | string {
  try {
    return isOff(env) ? undefined : read(env);
  } catch (thrown) {
    if (thrown instanceof Wrong) return thrown.message;
    throw thrown;
  }
}

/** A variable says what cannot be. */
class Wrong extends Error {}

function isOff(env: Environment): boolean {
  const disabled = oneOf(env, ['OTEL_SDK_DISABLED'], ['true', 'false'], 'false');
  const exporter = oneOf(env, ['OTEL_TRACES_EXPORTER'], ['otlp', 'none'], 'otlp');
  return disabled === 'true' || exporter === 'none';
}

function read(env: Environment): TracingSettings | undefined {
  const url = urlOf(env);
  if (!url) return undefined;
  const [protocol, value] = given(env, variants('PROTOCOL'));
  if (value?.toLowerCase() === 'grpc') {
    throw new Wrong(
      `${protocol} is "grpc", and Dowel sends traces over HTTP: write http/protobuf or http/json, and the HTTP port of the receiver (usually 4318 where gRPC has 4317)`,
    );
  }
  const encoding = oneOf(env, variants('PROTOCOL'), ['http/protobuf', 'http/json'], 'http/protobuf');
  const capacity = integer(env, ['OTEL_BSP_MAX_QUEUE_SIZE'], 2048, 1);
  return {
    receiver: {
      url,
      encoding: encoding === 'http/json' ? 'json' : 'protobuf',
      gzip: oneOf(env, variants('COMPRESSION'), ['gzip', 'none'], 'none') === 'gzip',
      headers: Object.fromEntries(pairs(env, variants('HEADERS')).map((pair) => header(pair, env))),
      timeout: integer(env, variants('TIMEOUT'), 10_000, 1),
      tls: {
        ...file(env, 'ca', variants('CERTIFICATE')),
        ...file(env, 'cert', variants('CLIENT_CERTIFICATE')),
        ...file(env, 'key', variants('CLIENT_KEY')),
      },
    },
    sampler: samplerSettings(env),
    batch: {
      delay: integer(env, ['OTEL_BSP_SCHEDULE_DELAY'], 5000, 0),
      capacity,
      size: Math.min(capacity, integer(env, ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], 512, 1)),
    },
    resource: resourceOf(env),
  };
}

/** The variable for traces alone goes before the one for everything. */
const variants = (name: string): readonly string[] => [
  `OTEL_EXPORTER_OTLP_TRACES_${name}`,
  `OTEL_EXPORTER_OTLP_${name}`,
];

/** The first that is set, and its name. An empty one counts as not set. */
function given(env: Environment, names: readonly string[]): readonly [name: string, value: string | undefined] {
  for (const name of names) {
    const value = env[name]?.trim();
    if (value) return [name, value];
  }
  return [names[0] ?? '', undefined];
}

function urlOf(env: Environment): URL | undefined {
  const [name, value] = given(env, variants('ENDPOINT'));
  if (value === undefined) return undefined;
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Wrong(`${name} is not an http:// or https:// address, such as http://localhost:4318`);
  }
  if (name.endsWith('_TRACES_ENDPOINT')) return url;
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url;
}

function oneOf<const T extends string>(env: Environment, names: readonly string[], values: readonly T[], none: T): T {
  const [name, value] = given(env, names);
  if (value === undefined) return none;
  const found = values.find((one) => one === value.toLowerCase());
  if (found === undefined) throw new Wrong(`${name} is ${JSON.stringify(value)}; it takes ${values.join(', ')}`);
  return found;
}

function integer(env: Environment, names: readonly string[], none: number, least: number): number {
  const [name, value] = given(env, names);
  if (value === undefined) return none;
  const number = Number(value);
  if (/^\d{1,9}$/.test(value) && number >= least) return number;
  const unit = /TIMEOUT|DELAY/.test(name) ? 'a number of milliseconds, without a unit' : 'a whole number';
  throw new Wrong(`${name} is ${JSON.stringify(value)}; it takes ${unit}${least > 0 ? `, at least ${least}` : ''}`);
}

function samplerSettings(env: Environment): SamplerSettings {
  const name = oneOf(env, ['OTEL_TRACES_SAMPLER'], samplers, 'parentbased_always_on');
  const [variable, value] = given(env, ['OTEL_TRACES_SAMPLER_ARG']);
  if (value === undefined || !name.endsWith('traceidratio')) return { name, ratio: 1 };
  const ratio = Number(value);
  if (ratio >= 0 && ratio <= 1) return { name, ratio };
  throw new Wrong(`${variable} is ${JSON.stringify(value)}; with ${name} it takes a number between 0 and 1`);
}

/** `key=value,key=value`, percent-encoded as W3C Baggage. A value may be a secret: no message repeats one. */
function pairs(env: Environment, names: readonly string[]): readonly (readonly [string, string])[] {
  const [name, value] = given(env, names);
  if (value === undefined) return [];
  const wrong = (index: number): Wrong =>
    new Wrong(`${name} is a list such as key=value,other=value, percent-encoded; its entry ${index + 1} is not of it`);
  return value.split(',').flatMap((entry, index) => {
    if (entry.trim() === '') return [];
    const at = entry.indexOf('=');
    if (at < 1) throw wrong(index);
    try {
      const [key, text] = [entry.slice(0, at), entry.slice(at + 1)].map((one) => decodeURIComponent(one.trim()));
      if (key === undefined || text === undefined || key === '') throw wrong(index);
      return [[key, text]];
    } catch {
      throw wrong(index);
    }
  });
}

function header([name, text]: readonly [string, string], env: Environment): readonly [string, string] {
  const [variable] = given(env, variants('HEADERS'));
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    throw new Wrong(`${variable} has a name that no header can have: ${JSON.stringify(name)}`);
  }
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) {
    throw new Wrong(`${variable} has a value for ${name} that no header can have`);
  }
  return [name.toLowerCase(), text];
}

function file(env: Environment, key: 'ca' | 'cert' | 'key', names: readonly string[]): TlsPart {
  const [name, path] = given(env, names);
  if (path === undefined) return {};
  try {
    return { [key]: readFileSync(path) };
  } catch {
    throw new Wrong(`${name} names the file ${path}, which cannot be read`);
  }
}

type TlsPart = ReceiverSettings['tls'];

function resourceOf(env: Environment): Attributes {
  const [, name] = given(env, ['OTEL_SERVICE_NAME']);
  const all = Object.fromEntries(pairs(env, ['OTEL_RESOURCE_ATTRIBUTES']));
  return name === undefined ? all : { ...all, 'service.name': name };
}
