import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Endpoint, type EndpointContext, type Exchange, failure } from '#sdk';
import { Appender } from './appender.ts';
import type { FileEndpointOptions } from './definition.ts';
import { fileFailure, systemDetail } from './file-failure.ts';
import { asLine } from './line.ts';
import { replaceFile } from './replace.ts';
import { type Operation, type Target, targetOf } from './target.ts';

export async function openEndpoint(options: FileEndpointOptions, context: EndpointContext): Promise<Endpoint> {
  const { path } = options;
  const { codec } = context.services;
  const folder = dirname(path);
  await mkdir(folder, { recursive: true }).catch((thrown: unknown) => {
    const what = `The folder ${folder} of the endpoint \`${context.name}\``;
    throw failure('startup', { what, detail: systemDetail(thrown) }, { cause: thrown });
  });
  const shared = context.share('file:appender', () => new Appender());

  const append = async (exchange: Exchange, { newline = true }: Operation, target: Target): Promise<void> => {
    const { body } = exchange;
    const content = await exchange.bytes();
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const line = newline ? asLine(bytes, body.wireType(codec)) : bytes;
    exchange.life.check();
    await shared.value.add(target.path, { bytes: line, line: newline, chosen: target.chosen, sync: options.sync });
  };

  const replace = async (exchange: Exchange, target: Target): Promise<void> => {
    const { body, life } = exchange;
    const stream = body.takeStream();
    try {
      await replaceFile({
        path: target.path,
        content: stream ?? (await exchange.bytes()),
        id: context.random.uuid(),
        sync: options.sync,
        signal: life.signal,
      });
    } finally {
      // Whoever takes a stream gives its connection back, read or not.
      stream?.stream.destroy();
    }
  };

  return {
    async handle(exchange) {
      const operation = (exchange.operation ?? {}) as Operation;
      const target = targetOf(path, operation);
      exchange.life.check();
      try {
        await (operation.append ? append(exchange, operation, target) : replace(exchange, target));
      } catch (thrown) {
        exchange.life.check();
        throw fileFailure(target.path, thrown);
      }
      return undefined;
    },
    close: () => shared.release(),
  };
}
