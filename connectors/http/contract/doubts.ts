import type { ContractContent, ContractOperation, Doubt, Slot, WrittenCall } from '#sdk';
import type { EndpointOptions, SourceOptions } from '../definition.ts';
import { isChecked } from './content.ts';
import { endpointDoubts, sourceDoubts } from './security.ts';
import { asks } from './shape.ts';

/** Where the document promises something that nobody sees to. */
export function contractDoubts(options: unknown, calls: readonly WrittenCall[], slot: Slot): readonly Doubt[] {
  if (slot === 'source') {
    const source = options as Partial<SourceOptions>;
    const operation = source.contract?.openapi.contract.operation(source.contract.operation);
    return [...sourceDoubts(source), ...unchecked(operation ? [operation] : [], 'contract/operation')];
  }
  const endpoint = options as Partial<EndpointOptions>;
  const called = new Set(calls.map((call) => call.options['operation']));
  const operations = [...called].flatMap((id) =>
    typeof id === 'string' ? (endpoint.contract?.openapi.contract.operation(id) ?? []) : [],
  );
  return [...endpointDoubts(endpoint, calls), ...unchecked(operations, 'contract/openapi')];
}

/** Schemas of XML, of files and of parts say nothing about what is there: whoever wrote them may believe that they do. */
function unchecked(operations: readonly ContractOperation[], at: string): readonly Doubt[] {
  return operations.flatMap(({ id, body, answers }) => {
    const which = [
      ...typesOf(body?.contents).map((type) => `the body (${type})`),
      ...answers.flatMap(({ status, contents }) => typesOf(contents).map((type) => `the answer ${status} (${type})`)),
    ];
    if (which.length === 0) return [];
    const schemas = which.length === 1 ? 'schema' : 'schemas';
    const message = `The ${schemas} of ${which.join(' and of ')} of \`${id}\` ${which.length === 1 ? 'is' : 'are'} not checked, only the content type: values have schemas here, which are JSON, forms and plain text. Look at what matters with a \`validate\` step`;
    return [{ code: 'contract-unchecked', at, message, settledBy: 'validate' }];
  });
}

/** Its types, where there are schemas, and none of them is checked. */
function typesOf(contents: readonly ContractContent[] = []): readonly string[] {
  if (contents.some(({ schema, mediaType }) => !asks(schema) || isChecked(schema, mediaType))) return [];
  // Bytes have no more to be said of them.
  return contents.filter(({ schema }) => !isBytes(schema)).map(({ mediaType }) => mediaType);
}

const isBytes = (schema: unknown): boolean => {
  const { type, properties } = (schema ?? {}) as Readonly<Record<string, unknown>>;
  return type === 'string' && properties === undefined;
};
