import type { Exchange, Headers } from '../core/exchange.ts';
import { failure } from '../errors.ts';
import { type Attributes, isName, specversion } from './attributes.ts';
import { toHeaders } from './binary.ts';
import type { EndpointEvents, EventBinding } from './options.ts';
import { toDocument } from './structured.ts';

/** What a step says of its event, evaluated. */
interface Said {
  readonly type?: unknown;
  readonly subject?: unknown;
  readonly id?: unknown;
  readonly source?: unknown;
  readonly time?: unknown;
  readonly dataschema?: unknown;
  readonly extensions?: unknown;
}

export interface Sender {
  readonly endpoint: string;
  readonly integration: string;
  readonly options: EndpointEvents;
  readonly binding: EventBinding | undefined;
}

/** Makes the message an event: as it goes to the endpoint, once for all its attempts. */
export async function asEvent(exchange: Exchange, sender: Sender): Promise<Exchange> {
  const { options, binding } = sender;
  const attributes = attributesOf(exchange, sender);
  const { ownHeaders } = exchange;
  if (options.mode === 'binary' && binding) {
    return exchange.with({ ownHeaders: merged(ownHeaders, toHeaders(attributes, binding)) });
  }
  const { 'content-type': _, ...others } = ownHeaders;
  return exchange.with({
    body: await toDocument(exchange, attributes),
    ownHeaders: merged(others, {}),
  });
}

function attributesOf(exchange: Exchange, { endpoint, integration, options }: Sender): Attributes {
  const { life, services, position, flow, body } = exchange;
  const said = ((exchange.operation as { readonly event?: Said } | undefined)?.event ?? {}) as Said;
  const type = textOf('type', said.type) ?? options.type;
  if (type === undefined) throw unusable('it has no `type`: say it in `event` of the step, or at the endpoint');
  const drawn = (): string => life.journal?.uuid(`${position}event:${endpoint}`) ?? services.random.uuid();
  const source = textOf('source', said.source) ?? options.source ?? `/${integration}/${flow}`;
  const contentType = body.isEmpty ? undefined : body.wireType(services.codec);
  return withoutNothing({
    specversion,
    id: textOf('id', said.id) ?? drawn(),
    source,
    type,
    subject: textOf('subject', said.subject),
    time: textOf('time', said.time) ?? new Date(services.clock.now()).toISOString(),
    dataschema: textOf('dataschema', said.dataschema),
    datacontenttype: contentType,
    ...extensionsOf(said.extensions),
  });
}

const core = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'dataschema',
  'datacontenttype',
  'data',
]);

function extensionsOf(given: unknown): Attributes {
  if (typeof given !== 'object' || given === null) return {};
  for (const name of Object.keys(given)) {
    if (!isName(name)) throw unusable(`its extension ${JSON.stringify(name)} has other characters than a-z and 0-9`);
    if (core.has(name)) throw unusable(`\`${name}\` is no extension, but an attribute of its own`);
  }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, textOf(name, value)]));
}

/** An attribute has a simple value, and none that is empty. */
function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') throw unusable(`its \`${name}\` is not text`);
  const text = String(value);
  // Control characters have no place in any attribute (§3.2), and end a header.
  if (/[\p{Cc}]/u.test(text) || !text.isWellFormed())
    throw unusable(`its \`${name}\` holds characters that no attribute may have`);
  return text === '' ? undefined : text;
}

const withoutNothing = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));

const merged = (own: Headers, more: Headers): Headers => Object.assign(Object.create(null), own, more);

const unusable = (why: string) => failure('validation', { detail: `the event cannot be sent: ${why}` });
