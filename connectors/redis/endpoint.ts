import { type Endpoint, type EndpointContext, type Exchange, failure, type Headers, once } from '#sdk';
import { type Argument, type Connection, connectionTo } from './connection.ts';
import type { RedisEndpointOptions } from './definition.ts';
import { callFailure } from './trouble.ts';

interface Operation {
  readonly stream?: unknown;
  readonly channel?: unknown;
  readonly minReceivers?: number;
}

export async function openEndpoint(options: RedisEndpointOptions, context: EndpointContext): Promise<Endpoint> {
  const { name } = context;
  const base = connectionTo(options, context);
  try {
    await base.value.start();
  } catch (thrown) {
    await base.release();
    throw thrown;
  }

  const handle = async (exchange: Exchange): Promise<undefined> => {
    const { life } = exchange;
    life.check();
    const operation = (exchange.operation ?? {}) as Operation;
    const target = targetOf(operation, options);
    const bytes = await exchange.bytes();
    const body = typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const fields = 'stream' in target ? fieldsOf(exchange, options.bodyField) : [];
    const connection = base.value.opened ?? (await base.value.up(life, name));
    const limit = options.maxLength === undefined ? [] : ['MAXLEN', '~', String(options.maxLength)];
    if ('stream' in target) {
      await life.race(
        told(connection, name, ['XADD', target.stream, ...limit, '*', ...fields, options.bodyField, body]),
      );
      return undefined;
    }
    const receivers = Number(await life.race(told(connection, name, ['PUBLISH', target.channel, body])));
    const wanted = operation.minReceivers ?? 0;
    if (receivers >= wanted) return undefined;
    const detail = `${receivers} listen to the channel, ${wanted} were asked for`;
    throw failure('unroutable', { endpoint: name, detail, receivers, ...(receivers === 0 ? { sent: false } : {}) });
  };

  return {
    handle,
    get ready() {
      return base.value.opened !== undefined;
    },
    get trouble() {
      return base.value.trouble;
    },
    close: once(() => base.release()),
  };
}

async function told(connection: Connection, endpoint: string, command: readonly Argument[]): Promise<unknown> {
  try {
    return await connection.command(...command);
  } catch (thrown) {
    throw callFailure(thrown, endpoint);
  }
}

type Target = { readonly stream: string } | { readonly channel: string };

function targetOf(operation: Operation, options: RedisEndpointOptions): Target {
  const { stream, channel } = operation;
  if (stream !== undefined) return { stream: nameOf(stream, 'stream') };
  if (channel !== undefined) return { channel: nameOf(channel, 'channel') };
  if (options.stream !== undefined) return { stream: options.stream };
  if (options.channel !== undefined) return { channel: options.channel };
  throw unusable('neither it nor its endpoint has a `stream` or a `channel`');
}

function nameOf(value: unknown, what: string): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string' && /^\S+$/.test(value)) return value;
  throw unusable(`its \`${what}\` is not a name without blanks`);
}

/** Headers as fields, the type of the body among them. */
function fieldsOf(exchange: Exchange, bodyField: string): readonly string[] {
  const { body, ownHeaders, services } = exchange;
  const type = body.isEmpty ? undefined : body.wireType(services.codec);
  const headers: Headers = type === undefined ? ownHeaders : { 'content-type': type, ...ownHeaders };
  return Object.entries(headers).flatMap(([name, value]) => {
    if (name === bodyField) throw unusable(`the header \`${name}\` would be the body: choose another \`bodyField\``);
    return [name, typeof value === 'string' ? value : value.join(', ')];
  });
}

const unusable = (why: string) => failure('bad-request', { detail: why, sent: false });
