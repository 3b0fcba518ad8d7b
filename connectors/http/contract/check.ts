import {
  type BroughtSchema,
  type Contract,
  type ContractContent,
  type ContractOperation,
  nearest,
  type Slot,
  type WrittenCall,
  wholeSchema,
} from '#sdk';
import type { EndpointOptions, SourceOptions } from '../definition.ts';
import { parsePath } from '../path.ts';
import { isReadable, keyOf, keysOf, titleOf } from './named.ts';

type Report = (at: string, message: string, suggestion?: string) => void;

interface Written {
  readonly options: unknown;
  readonly given: readonly string[];
}

/** Path and method: as they are written, or as the operation of the contract has them. */
export function complete(written: Written, report: Report, slot: Slot): unknown {
  if (slot === 'source') return completeSource(written, report);
  const { operation, method, ...others } = written.options as Readonly<Record<string, unknown>>;
  return slot === 'call' && operation !== undefined && method !== undefined && !written.given.includes('method')
    ? { operation, ...others }
    : written.options;
}

function completeSource({ options, given }: Written, report: Report): unknown {
  const written = options as SourceOptions;
  const { contract: kept } = written;
  if (!kept) return options;
  const operation = operationOf(kept.openapi.contract, kept.operation, 'contract/operation', report);
  if (!operation) return options;
  const path = `${kept.basePath ?? ''}${operation.path}`;
  const { method } = operation;
  const where = `\`${operation.id}\` in the document`;
  if (given.includes('path') && written.path !== path) {
    report('path', `the path of ${where} is \`${path}\`: write that, or leave \`path\` out`, path);
  }
  const [single, ...more] = [written.method].flat();
  if (given.includes('method') && (single !== method || more.length > 0)) {
    report('method', `the method of ${where} is ${method}: write that, or leave \`method\` out`, method);
  }
  const parsed = parsePath(path);
  if ('problem' in parsed) {
    report('contract/operation', `the path of ${where}, \`${path}\`, cannot be served: ${parsed.problem}`);
    return options;
  }
  for (const parameter of operation.parameters) {
    if (isReadable(parameter)) continue;
    const { style } = parameter;
    report(
      'contract/operation',
      `the ${titleOf(parameter)} of ${where} has the style \`${style}\`, which is not read here`,
    );
  }
  return { ...written, path, method };
}

/** What is wrong with a call, where its endpoint has a contract, or none. */
export function checkCall(endpoint: unknown, call: WrittenCall, report: Report): void {
  const { contract: kept } = endpoint as Partial<EndpointOptions>;
  const { operation: id, params } = call.options;
  if (typeof id !== 'string') {
    if (params !== undefined) report('params', '`params` are those of an operation: write `operation: …` beside them');
    return;
  }
  if (!kept) {
    const what = 'the endpoint has no contract that would know operations: give it `contract: { openapi: … }`';
    report('operation', `${what}, or write \`method\` and \`path\` here`);
    return;
  }
  for (const key of ['method', 'path']) {
    if (call.options[key] !== undefined) report(key, `\`${key}\` follows from \`operation\`: leave it out`);
  }
  const operation = operationOf(kept.openapi.contract, id, 'operation', report);
  if (operation) checkParams(operation, endpoint as Partial<EndpointOptions>, call, report);
}

function checkParams(
  { id, parameters, body }: ContractOperation,
  { headers, query, auth }: Partial<EndpointOptions>,
  call: WrittenCall,
  report: Report,
): void {
  if (call.bodyGiven && !body) report('operation', `\`${id}\` takes no body: leave \`body\` out`);
  const written = keysOf(call.options['params']);
  const names = parameters.map(({ name }) => name);
  for (const name of written ?? []) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    const known = names.length === 0 ? 'it has none' : `it has ${names.map((one) => `\`${one}\``).join(', ')}`;
    const hint = near === undefined ? `; ${known}` : `; did you mean \`${near}\`?`;
    report(`params/${pointed(name)}`, `\`${id}\` has no parameter \`${name}\`${hint}`, near);
  }
  const inQuery = keysOf(call.options['query']);
  const inHeaders = keysOf(call.options['headers']);
  // What comes out of an expression is known when a message comes.
  if (!written || !inQuery || !inHeaders || !call.headers) return;
  const always = [...Object.keys(headers ?? {}), ...(auth?.header ? [auth.header.name] : [])];
  const given = new Set([
    ...inQuery.map((name) => `query ${name}`),
    ...Object.keys(query ?? {}).map((name) => `query ${name}`),
    ...[...inHeaders, ...call.headers, ...always].map((name) => `header ${name.toLowerCase()}`),
  ]);
  // A name that is not known was meant to be one of those that are missing.
  if (written.some((name) => !names.includes(name))) return;
  for (const { name, in: place, required } of parameters) {
    if (!required || written.includes(name) || given.has(keyOf({ name, in: place }))) continue;
    report(
      written.length > 0 || call.options['params'] !== undefined ? 'params' : 'operation',
      `\`${id}\` needs the ${titleOf({ name, in: place })}: write \`params: { ${name}: … }\``,
    );
  }
}

const pointed = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

function operationOf(contract: Contract, id: string, at: string, report: Report): ContractOperation | undefined {
  // A document that could not be read has its message, or is named by config that has no value here.
  if (contract.path === '') return undefined;
  for (const problem of contract.problems(id)) report(at, `this operation cannot be used: ${problem}`);
  if (contract.operationIds.includes(id)) return contract.operation(id);
  const near = nearest(id, contract.operationIds);
  const few = contract.operationIds.slice(0, 10).map((one) => `\`${one}\``);
  const more = contract.operationIds.length > few.length ? ' …' : '';
  const hint = near === undefined ? `; there are ${few.join(', ')}${more}` : `; did you mean \`${near}\`?`;
  report(at, `the document has no operation \`${id}\`${hint}`, near);
  return undefined;
}

/** The method that a call has by its operation. */
export function methodIn(call: unknown, endpoint: unknown): string | undefined {
  const { operation: id } = (call ?? {}) as { readonly operation?: unknown };
  const { contract: kept } = (endpoint ?? {}) as Partial<EndpointOptions>;
  return typeof id === 'string' ? kept?.openapi.contract.operation(id)?.method : undefined;
}

/** The schemas of what is served, or of what steps call. */
export function contractSchemas(options: unknown, slot: Slot): readonly BroughtSchema[] {
  const { contract: kept } = options as Partial<Pick<SourceOptions, 'contract'>> | Partial<EndpointOptions>;
  if (!kept) return [];
  const { contract } = kept.openapi;
  const at = slot === 'source' ? 'contract/operation' : 'contract/openapi';
  return contract.used().flatMap((operation) => schemasOf(operation, contract, at));
}

function schemasOf(operation: ContractOperation, contract: Contract, at: string): readonly BroughtSchema[] {
  const all = contract.schemas;
  const ofContents = (contents: readonly ContractContent[], title: string, direction: 'sent' | 'answered') =>
    contents.map(({ schema, mediaType }) => ({
      schema: wholeSchema(schema ?? true, all, direction),
      at,
      title: `${title} (${mediaType}) of \`${operation.id}\``,
    }));
  return [
    ...operation.parameters.map((one) => ({
      schema: wholeSchema(one.schema ?? true, all, 'sent'),
      at,
      title: `the ${titleOf(one)} of \`${operation.id}\``,
    })),
    ...ofContents(operation.body?.contents ?? [], 'the body', 'sent'),
    ...operation.answers.flatMap(({ status, contents, headers }) => [
      ...ofContents(contents, `the answer ${status}`, 'answered'),
      ...headers.map(({ name, schema }) => ({
        schema: wholeSchema(schema ?? true, all, 'answered'),
        at,
        title: `the header \`${name}\` of the answer ${status} of \`${operation.id}\``,
      })),
    ]),
  ];
}
