/** The messages of an integration as an AsyncAPI document, version 3.0: what it receives from brokers and sends to them. */
import type { FlowSource, IntegrationSource } from '../core/written.ts';
import type { MessageChannel } from '../sdk.ts';
import { addressOf } from './address.ts';
import { Components } from './components.ts';
import { type Described, infoOf } from './described.ts';
import { Servers } from './servers.ts';
import { headSchema, isOneHole, stepsIn, writtenIn } from './steps.ts';

type Json = Readonly<Record<string, unknown>>;

export async function asyncApiOf(source: IntegrationSource, described: Described): Promise<Json> {
  const document = new Document(source);
  for (const flow of Object.values(source.flows)) {
    const { from } = flow;
    const receives = from && (await described(from.name))?.receives;
    for (const channel of (from && receives?.(from.options as never)) ?? []) document.receive(flow, channel);
    for (const sent of sentBy(flow)) {
      const endpoint = source.endpoints[sent.endpoint];
      const sends = endpoint && (await described(endpoint.connector.name))?.sends;
      const channels = endpoint && sends?.(endpoint.connector.options as never, sent.options);
      for (const channel of channels ?? []) document.send(flow, sent, channel, endpoint?.events);
    }
  }
  return document.value();
}

/** A message that a step sends, as it is written. */
interface Sent {
  readonly endpoint: string;
  readonly options: Json;
  readonly name: string | undefined;
  readonly body: unknown;
  readonly headers: unknown;
}

function sentBy(flow: FlowSource): readonly Sent[] {
  const steps = stepsIn([flow.steps, flow.onError]).flatMap(({ kind, options, name }): readonly Sent[] => {
    const { endpoint, connector, body, headers } = options as {
      readonly endpoint?: unknown;
      readonly connector?: { readonly options?: unknown };
      readonly body?: unknown;
      readonly headers?: unknown;
    };
    if ((kind !== 'send' && kind !== 'call') || typeof endpoint !== 'string') return [];
    return [{ endpoint, options: (connector?.options ?? {}) as Json, name, body, headers }];
  });
  const { deadLetter } = flow;
  if (!deadLetter) return steps;
  const { endpoint, connector, body, headers } = deadLetter;
  const letter = { endpoint, options: (connector?.options ?? {}) as Json, name: 'dead letters', body, headers };
  return [...steps, letter];
}

/** One document being put together. */
class Document {
  readonly #source: IntegrationSource;
  readonly #servers: Servers;
  readonly #components = new Components();
  readonly #channels = new Map<string, { readonly name: string; readonly value: Record<string, unknown> }>();
  readonly #operations: Record<string, unknown> = {};

  constructor(source: IntegrationSource) {
    this.#source = source;
    this.#servers = new Servers(source.secrets);
  }

  receive(flow: FlowSource, channel: MessageChannel): void {
    const head = headSchema(flow);
    const payload = head && this.#components.own(head.key, head.name ?? flow.name, head.schema);
    const message = {
      ...(payload ? { contentType: 'application/json', payload } : {}),
      ...(flow.events === undefined ? {} : { summary: 'A CloudEvent.' }),
    };
    this.#operation('receive', flow, `${flow.name}-receive`, channel, message, flow.description);
  }

  send(flow: FlowSource, sent: Sent, channel: MessageChannel, events: unknown): void {
    const contentType = contentTypeOf(sent, events);
    const message = {
      ...(contentType === undefined ? {} : { contentType }),
      ...(events === undefined ? {} : { summary: 'A CloudEvent.' }),
    };
    this.#operation('send', flow, `${flow.name}-send-${sent.endpoint}`, channel, message, sent.name);
  }

  value(): Json {
    const { schemas } = this.#components;
    return {
      asyncapi: '3.0.0',
      info: infoOf(this.#source),
      defaultContentType: 'application/json',
      servers: this.#servers.all,
      channels: Object.fromEntries([...this.#channels.values()].map(({ name, value }) => [name, value])),
      operations: this.#operations,
      ...(Object.keys(schemas).length > 0 ? { components: { schemas } } : {}),
    };
  }

  #operation(
    action: 'send' | 'receive',
    flow: FlowSource,
    wanted: string,
    channel: MessageChannel,
    message: Json,
    summary: string | undefined,
  ): void {
    const { name, value } = this.#channel(channel);
    const messages = value['messages'] as Record<string, unknown>;
    const shown = `${flow.name}-${action}`;
    const called = freeName(shown, (one) => {
      const there = messages[one];
      return there !== undefined && JSON.stringify(there) !== JSON.stringify(message);
    });
    messages[called] = message;
    const operation = freeName(wanted, (one) => one in this.#operations);
    this.#operations[operation] = {
      action,
      channel: { $ref: `#/channels/${name}` },
      ...(summary === undefined ? {} : { summary }),
      messages: [{ $ref: `#/channels/${name}/messages/${called}` }],
      ...(channel.operationBindings ? { bindings: channel.operationBindings } : {}),
    };
  }

  #channel(channel: MessageChannel): { readonly name: string; readonly value: Record<string, unknown> } {
    const servers = this.#servers.named(channel);
    const { address, parameters } = addressOf(channel.address);
    const key = JSON.stringify([servers, address, channel.channelBindings]);
    const known = this.#channels.get(key);
    if (known) return known;
    const plain = (address ?? 'dynamic').replaceAll(/[{}]/g, '').replaceAll(/[^\w.-]+/g, '_') || 'channel';
    const taken = [...this.#channels.values()].map((one) => one.name);
    const made = {
      name: freeName(plain, (one) => taken.includes(one)),
      value: {
        address,
        servers: servers.map((one) => ({ $ref: `#/servers/${one}` })),
        ...(Object.keys(parameters).length > 0 ? { parameters } : {}),
        messages: {},
        ...(channel.channelBindings ? { bindings: channel.channelBindings } : {}),
      },
    };
    this.#channels.set(key, made);
    return made;
  }
}

function freeName(wanted: string, taken: (name: string) => boolean): string {
  let name = wanted;
  for (let nth = 2; taken(name); nth += 1) name = `${wanted}-${nth}`;
  return name;
}

/** As far as the file says it: what a step writes is JSON, or text; what it passes on may be anything. */
function contentTypeOf({ body, headers }: Sent, events: unknown): string | undefined {
  const { mode } = (events ?? {}) as { readonly mode?: unknown };
  if (mode === 'structured') return 'application/cloudevents+json';
  const given = Object.entries((writtenIn(headers) ?? {}) as Json).find(
    ([name]) => name.toLowerCase() === 'content-type',
  );
  if (typeof given?.[1] === 'string' && !given[1].includes('${{')) return given[1];
  const value = writtenIn(body);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') return 'application/json';
  return isOneHole(value) ? undefined : 'text/plain';
}
