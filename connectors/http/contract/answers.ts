import {
  type Body,
  type Contract,
  type ContractAnswer,
  type ContractOperation,
  type Exchange,
  type Headers,
  type SchemaFinding,
  toFailure,
  wholeSchema,
} from '#sdk';
import { asTyped, contentFor, isChecked } from './content.ts';
import { saidByHeader } from './parameters.ts';
import type { Violation } from './request.ts';
import { asks, Shape } from './shape.ts';

type JsonSchema = (schema: unknown) => (value: unknown) => readonly SchemaFinding[];
type Check = ReturnType<JsonSchema>;
type Codec = Exchange['services']['codec'];

/** An answer as it is, or will be, on the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
  /** Of the body; `undefined`: JSON. */
  readonly contentType: string | undefined;
  /** To HEAD: the body is not part of it. */
  readonly bodiless: boolean;
}

export type AnswerCheck = (answer: Answer, codec: Codec) => readonly Violation[] | Promise<readonly Violation[]>;

/** Compiles what an operation promises about its answers. */
export function compileAnswers(operation: ContractOperation, contract: Contract, jsonSchema: JsonSchema): AnswerCheck {
  const checks = new Map(
    operation.answers.map((answer) => [answer.status, compileAnswer(answer, contract, jsonSchema)]),
  );
  return (answer, codec) => {
    const { status } = answer;
    const check = checks.get(String(status)) ?? checks.get(`${Math.floor(status / 100)}XX`) ?? checks.get('default');
    if (check) return check(answer, codec);
    const known = [...checks.keys()].join(', ') || 'none';
    return [{ where: 'status', pointer: '', message: `${status} is not among those of the operation (${known})` }];
  };
}

function compileAnswer(answer: ContractAnswer, contract: Contract, jsonSchema: JsonSchema): AnswerCheck {
  const all = contract.schemas;
  const compiled = (schema: unknown): Check | undefined =>
    asks(schema) ? jsonSchema(wholeSchema(schema, all, 'answered')) : undefined;
  const headers = answer.headers.map((header) => ({
    header,
    shape: new Shape(header.schema, all),
    check: compiled(header.schema),
  }));
  const bodies = new Map(
    answer.contents.map((content) => [
      content,
      { check: compiled(content.schema), shape: new Shape(content.schema, all) },
    ]),
  );

  const checkHeaders = (given: Headers): readonly Violation[] =>
    headers.flatMap(({ header, shape, check }): readonly Violation[] => {
      const where = `header \`${header.name}\``;
      const found = saidByHeader(header, given[header.name.toLowerCase()], shape);
      if (!found) return header.required ? [{ where, pointer: '', message: 'is required' }] : [];
      if (found.problem !== undefined) return [{ where, pointer: '', message: found.problem }];
      return check?.(found.value).map((one) => ({ where, ...one })) ?? [];
    });

  const checkBody = (
    { status, body, contentType, bodiless }: Answer,
    codec: Codec,
  ): readonly Violation[] | Promise<readonly Violation[]> => {
    const found = (message: string): readonly Violation[] => [{ where: 'body', pointer: '', message }];
    if (bodiless || status === 204 || status === 304) return [];
    if (body.isEmpty) return answer.contents.length > 0 ? found('is missing') : [];
    if (answer.contents.length === 0) return found('is there, and the operation has none for this status');
    const content = contentFor(answer.contents, contentType);
    if (!content) {
      const types = answer.contents.map(({ mediaType }) => mediaType).join(', ');
      return found(`has the content type ${contentType ?? 'application/json'}, and must have ${types}`);
    }
    const { check, shape } = bodies.get(content) ?? {};
    if (!check || !shape || !isChecked(content.schema, contentType)) return [];
    const checked = (value: unknown): readonly Violation[] =>
      check(asTyped(value, contentType, shape)).map((one) => ({ where: 'body', ...one }));
    const unreadable = (thrown: unknown): readonly Violation[] => {
      const error = toFailure(thrown);
      if (error.kind !== 'permanent' && error.code !== 'invalid-response') throw error;
      return found(`cannot be read: ${error.message}`);
    };
    try {
      const value = body.value(codec);
      return value instanceof Promise ? value.then(checked).catch(unreadable) : checked(value);
    } catch (thrown) {
      return unreadable(thrown);
    }
  };

  return (given, codec) => {
    const first = checkHeaders(given.headers);
    const then = checkBody(given, codec);
    return then instanceof Promise ? then.then((more) => [...first, ...more]) : [...first, ...then];
  };
}
