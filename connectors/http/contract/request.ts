import {
  type Body,
  type Contract,
  type ContractOperation,
  type Exchange,
  failure,
  type SchemaFinding,
  wholeSchema,
} from '#sdk';
import { asTyped, contentFor, isChecked } from './content.ts';
import { isReadable, titleOf } from './named.ts';
import { said, type Written } from './parameters.ts';
import { asks, Shape } from './shape.ts';

type JsonSchema = (schema: unknown) => (value: unknown) => readonly SchemaFinding[];
type Codec = Exchange['services']['codec'];

/** What breaks the contract, and in what: a parameter, or a place in the body. */
export interface Violation {
  readonly where: string;
  readonly pointer: string;
  readonly message: string;
}

export const worded = ({ where, pointer, message }: Violation): string =>
  `${where === 'body' ? pointer || 'the body' : where + pointer}: ${message}`;

export interface RequestCheck {
  parameters(written: Written): readonly Violation[];
  /** Throws `unsupported-media-type`, and what `value` of the body throws. */
  body(body: Body, codec: Codec): readonly Violation[] | Promise<readonly Violation[]>;
}

/** Compiles what an operation asks of its requests. */
export function compileRequest(operation: ContractOperation, contract: Contract, jsonSchema: JsonSchema): RequestCheck {
  const all = contract.schemas;
  const compiled = (schema: unknown): ReturnType<JsonSchema> => jsonSchema(wholeSchema(schema, all, 'sent'));
  const parameters = operation.parameters.map((parameter) => ({
    parameter,
    shape: new Shape(parameter.schema, all),
    check: isReadable(parameter) && asks(parameter.schema) ? compiled(parameter.schema) : undefined,
  }));
  const contents = operation.body?.contents ?? [];
  const checks = new Map(
    contents
      .filter(({ schema }) => asks(schema))
      .map((content) => [content, { check: compiled(content.schema), shape: new Shape(content.schema, all) }]),
  );

  return {
    parameters(written) {
      return parameters.flatMap(({ parameter, shape, check }): readonly Violation[] => {
        const where = titleOf(parameter);
        const found = said(parameter, written, shape);
        if (!found) return parameter.required ? [{ where, pointer: '', message: 'is required' }] : [];
        if (found.problem !== undefined) return [{ where, pointer: '', message: found.problem }];
        return check?.(found.value).map((one) => ({ where, ...one })) ?? [];
      });
    },
    body(body, codec) {
      if (!operation.body) return [];
      if (body.isEmpty) return operation.body.required ? [missing] : [];
      const { contentType } = body;
      const content = contentFor(contents, contentType);
      if (!content && contents.length > 0) {
        throw failure('unsupported-media-type', { contentType, accepted: contents.map((one) => one.mediaType) });
      }
      const schema = content && checks.get(content);
      if (!content || !schema || !isChecked(content.schema, contentType)) return [];
      const { required } = operation.body;
      const checked = (value: unknown): readonly Violation[] => {
        if (value === undefined) return required ? [missing] : [];
        return schema.check(asTyped(value, contentType, schema.shape)).map((one) => ({
          where: 'body',
          ...one,
        }));
      };
      const value = body.value(codec);
      return value instanceof Promise ? value.then(checked) : checked(value);
    },
  };
}

const missing: Violation = { where: 'body', pointer: '', message: 'is required, and there is none' };
