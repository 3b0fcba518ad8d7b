import { Body } from '../core/body.ts';
import { csvProblem, formats } from '../format/index.ts';
import type { Schema } from '../schema/schema.ts';
import { without } from './parts/headers.ts';
import { defineStep, type FormatReference } from './step.ts';

const names = formats.map((format) => format.name);
const formatOptions: Readonly<Record<string, Schema>> = Object.fromEntries(
  formats.map((format) => [format.name, { description: `Options of ${format.name}.`, ...(format.options as Schema) }]),
);

interface Options {
  readonly to: string;
  readonly from?: string;
}

export const convert = defineStep({
  name: 'convert',
  pattern: 'Message Translator, Normalizer',
  summary: 'Rewrites the body in another format and sets its content type.',
  options: {
    type: 'object',
    properties: {
      to: { type: 'string', enum: names, description: 'The format to write.' },
      from: {
        type: 'string',
        enum: names,
        description: 'The format to read, where the content type does not say. Default: by content type.',
      },
      ...formatOptions,
    },
    required: ['to'],
  } as Schema,
  compile(read, context) {
    const options = read as Options;
    const optionsOf = (name: string): unknown => (read as Readonly<Record<string, unknown>>)[name];
    const to = context.format(options.to) as FormatReference;
    const from = options.from === undefined ? undefined : context.format(options.from);
    for (const name of names) {
      if (optionsOf(name) !== undefined && name !== options.to && options.from !== undefined && name !== options.from) {
        context.report(name, {
          code: 'unused-option',
          at: 'key',
          message: `The options of \`${name}\` have no effect: this step reads ${options.from} and writes ${options.to}`,
        });
      }
    }
    const csv = csvProblem(optionsOf('csv') as Parameters<typeof csvProblem>[0]);
    if (csv) context.report(`csv/${csv.at}`, { code: 'impossible', message: csv.message });
    context.body.look();
    context.body.replace();
    return async (exchange) => {
      const { body } = exchange;
      const reader = body.isValue ? undefined : (from ?? context.formatFor(body.contentType));
      let value: unknown;
      if (reader && (from || optionsOf(reader.name) !== undefined)) {
        value = body.read(await exchange.bytes(), (bytes) =>
          reader.read(bytes, context.charsetOf(body.contentType), optionsOf(reader.name)),
        );
      } else {
        value = await exchange.value();
      }
      const isValue = optionsOf(to.name) === undefined && to.name === 'json';
      return exchange.with({
        body: isValue
          ? Body.value(value ?? null, to.mediaType)
          : Body.bytes(to.write(value, optionsOf(to.name)), to.mediaType),
        // What `set` called the body before it was converted is not true any more.
        ownHeaders: without(exchange.ownHeaders, 'content-type'),
      });
    };
  },
});
