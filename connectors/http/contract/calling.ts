import {
  Body,
  type Contract,
  type ContractOperation,
  type ContractParameter,
  type EndpointContext,
  type Exchange,
  type Failure,
  failure,
  nearest,
  type RehearsedEndpoint,
  wholeSchema,
} from '#sdk';
import type { EndpointOptions } from '../definition.ts';
import type { Operation } from '../request.ts';
import { type AnswerCheck, compileAnswers } from './answers.ts';
import { usualType } from './content.ts';
import { keyOf, titleOf } from './named.ts';
import { type Given, place } from './place.ts';
import { compileRequest, type RequestCheck, type Violation, worded } from './request.ts';
import { asks, Shape } from './shape.ts';

/** The operations of a service by its contract: calls that name one become requests, and answers are looked at. */
export function callContract(options: EndpointOptions, context: EndpointContext): RehearsedEndpoint | undefined {
  return options.contract && new Calling(options, options.contract, context);
}

interface Compiled {
  readonly operation: ContractOperation;
  readonly values: ReadonlyMap<string, (value: unknown) => readonly Violation[]>;
  readonly request: RequestCheck;
  readonly answer: AnswerCheck | undefined;
}

class Calling implements RehearsedEndpoint {
  readonly #contract: Contract;
  readonly #answers: NonNullable<EndpointOptions['contract']>['answers'];
  readonly #context: EndpointContext;
  /** What the endpoint gives every request: those parameters are there. */
  readonly #always: ReadonlySet<string>;
  readonly #operations = new Map<string, Compiled>();
  readonly #broken: () => void;

  constructor(options: EndpointOptions, kept: NonNullable<EndpointOptions['contract']>, context: EndpointContext) {
    this.#contract = kept.openapi.contract;
    this.#answers = kept.answers;
    this.#context = context;
    this.#always = alwaysGiven(options);
    const broken = context.services.meter.counter(
      'dowel_contract_answers_broken_total',
      'Answers of a service that broke its contract.',
      { endpoint: context.name },
    );
    this.#broken = () => broken.add();
    // Those that steps name: what is wrong with one is known by now, and no message waits for it.
    for (const { id } of this.#contract.used()) this.#compiled(id);
  }

  prepared(exchange: Exchange): Exchange | Promise<Exchange> {
    const operation = (exchange.operation ?? {}) as Operation;
    if (operation.operation === undefined) return exchange;
    const compiled = this.#compiled(operation.operation);
    const { found, given } = this.#given(compiled, operation, exchange);
    const placed = place(compiled.operation, given);
    const body = bodyOf(compiled.operation, exchange, operation);
    const ready = exchange.with({
      body,
      operation: {
        ...operation,
        method: compiled.operation.method,
        path: placed.path,
        // As whoever writes method and path would have it.
        query: together(placed.query, operation.query),
        headers: together(placed.headers, operation.headers),
      },
    });
    const checked = (more: readonly Violation[]): Exchange => {
      const all = [...found, ...more];
      if (all.length > 0) throw this.#refused('contract-request', compiled, all);
      return ready;
    };
    const inBody = this.#body(compiled, body, exchange);
    return inBody instanceof Promise ? inBody.then(checked) : checked(inBody);
  }

  answered(call: Exchange, answer: Exchange): Exchange | Promise<Exchange> {
    const operation = (call.operation ?? {}) as Operation;
    if (operation.operation === undefined) return answer;
    const compiled = this.#compiled(operation.operation);
    const { response, body } = answer;
    if (!compiled.answer || !response) return answer;
    const { status = 200, headers } = response;
    const bodiless = compiled.operation.method === 'HEAD';
    const found = compiled.answer(
      { status, headers, body, contentType: body.contentType, bodiless },
      call.services.codec,
    );
    return found instanceof Promise
      ? found.then((all) => this.#judged(compiled, answer, all))
      : this.#judged(compiled, answer, found);
  }

  #judged(compiled: Compiled, answer: Exchange, found: readonly Violation[]): Exchange {
    if (found.length === 0) return answer;
    this.#broken();
    if (this.#answers === 'refuse') {
      answer.body.discard();
      throw this.#refused('contract-answer', compiled, found);
    }
    this.#context.log.warn('an answer breaks the contract', {
      endpoint: this.#context.name,
      operation: compiled.operation.id,
      broken: found.map(worded),
      ...answer.named,
      status: answer.response?.status,
    });
    return answer;
  }

  #refused(
    code: 'contract-request' | 'contract-answer',
    { operation }: Compiled,
    found: readonly Violation[],
  ): Failure {
    const facts = { endpoint: this.#context.name, operation: operation.id, broken: found.map(worded) };
    return failure(code, code === 'contract-request' ? { ...facts, sent: false } : facts);
  }

  /** What a call gives, by parameter, and what is wrong with it. */
  #given(
    { operation: { parameters }, values }: Compiled,
    { params, query, headers }: Operation,
    exchange: Exchange,
  ): { readonly found: readonly Violation[]; readonly given: Given } {
    const written = asMap(params);
    const beside = new Set([
      ...Object.keys(asMap(query)).map((name) => `query ${name}`),
      ...Object.keys({ ...asMap(headers), ...exchange.ownHeaders }).map((name) => `header ${name.toLowerCase()}`),
      ...this.#always,
    ]);
    const found: Violation[] = [];
    const given: (readonly [ContractParameter, unknown])[] = [];
    for (const name of Object.keys(written)) {
      if (parameters.some((one) => one.name === name)) continue;
      const near = nearest(
        name,
        parameters.map((one) => one.name),
      );
      const message = `is not known${near === undefined ? '' : `; did you mean \`${near}\`?`}`;
      found.push({ where: `the parameter \`${name}\``, pointer: '', message });
    }
    for (const parameter of parameters) {
      const value = Object.hasOwn(written, parameter.name) ? written[parameter.name] : undefined;
      if (value === undefined || value === null || (value === '' && parameter.in === 'path')) {
        if (!parameter.required || beside.has(keyOf(parameter))) continue;
        found.push({ where: titleOf(parameter), pointer: '', message: 'is required' });
        continue;
      }
      found.push(...(values.get(keyOf(parameter))?.(value) ?? []));
      given.push([parameter, value]);
    }
    return { found, given };
  }

  #body({ request }: Compiled, body: Body, exchange: Exchange): ReturnType<RequestCheck['body']> {
    try {
      return request.body(body, exchange.services.codec);
    } catch (thrown) {
      const detail = thrown instanceof Error ? thrown.message : String(thrown);
      return [{ where: 'body', pointer: '', message: detail }];
    }
  }

  #compiled(id: unknown): Compiled {
    const known = this.#operations.get(String(id));
    if (known) return known;
    const operation = this.#contract.operation(String(id));
    if (!operation) throw failure('bug', { detail: `the document of ${this.#context.name} has no operation ${id}` });
    const { jsonSchema } = this.#context;
    const { schemas } = this.#contract;
    const values = operation.parameters.flatMap((parameter) => {
      if (!asks(parameter.schema)) return [];
      const check = jsonSchema(wholeSchema(parameter.schema, schemas, 'sent'));
      const shape = new Shape(parameter.schema, schemas);
      const checked = (value: unknown): readonly Violation[] =>
        check(asAsked(value, parameter, shape)).map((one) => ({ where: titleOf(parameter), ...one }));
      return [[keyOf(parameter), checked] as const];
    });
    const compiled: Compiled = {
      operation,
      values: new Map(values),
      request: compileRequest(operation, this.#contract, jsonSchema),
      answer: this.#answers === 'off' ? undefined : compileAnswers(operation, this.#contract, jsonSchema),
    };
    this.#operations.set(operation.id, compiled);
    return compiled;
  }
}

function together(placed: Readonly<Record<string, unknown>>, written: unknown): unknown {
  const both = { ...placed, ...(written as object | undefined) };
  return Object.keys(both).length === 0 ? undefined : both;
}

const asMap = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

/** As it will be read at the far side: text and numbers look the same there. */
function asAsked(value: unknown, { mediaType }: ContractParameter, shape: Shape): unknown {
  if (mediaType !== undefined) return value;
  if (typeof value === 'string') return shape.typed(value);
  const { types } = shape;
  const isPlain = typeof value === 'number' || typeof value === 'boolean';
  const fits = typeof value === 'number' ? types.has('number') || types.has('integer') : types.has('boolean');
  if (!isPlain || fits) return value;
  if (types.has('string')) return String(value);
  // A list of one, written as its element.
  return types.has('array') ? [value] : value;
}

/** Headers and query parameters of every request, whatever a call says. */
function alwaysGiven({ headers, query, auth }: Partial<EndpointOptions>): ReadonlySet<string> {
  const named = auth?.header ? [auth.header.name] : [];
  return new Set([
    ...[...Object.keys(headers ?? {}), ...named].map((name) => `header ${name.toLowerCase()}`),
    ...Object.keys(query ?? {}).map((name) => `query ${name}`),
  ]);
}

/** What is sent: nothing where the operation takes none, and a value of a type that it takes. */
function bodyOf({ body: wanted }: ContractOperation, { body }: Exchange, { bodyGiven }: Operation): Body {
  if (!wanted) return bodyGiven ? body : Body.empty;
  return body.isValue && body.contentType === undefined ? body.as(usualType(wanted.contents)) : body;
}
