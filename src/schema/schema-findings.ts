import type { SchemaFinding } from '../steps/step.ts';

/** The parts of ajv's errors that are used. */
export interface SchemaError {
  readonly keyword: string;
  /** JSON pointer into the value. */
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly propertyName?: string;
  readonly message?: string;
}

/** More than these help nobody. */
const maxFindings = 20;

/** The errors of ajv as sentences: no value of the message is quoted, it may be a secret. */
export function findingsOf(errors: readonly SchemaError[]): readonly SchemaFinding[] {
  const told = withoutAlternatives(errors).map(
    (error): SchemaFinding => ({
      pointer: error.instancePath,
      message: sentence(error, errors),
    }),
  );
  const unique = [...new Map(told.map((one) => [`${one.pointer}\n${one.message}`, one])).values()];
  if (unique.length <= maxFindings) return unique;
  const rest = unique.length - maxFindings;
  return [...unique.slice(0, maxFindings), { pointer: '', message: `and ${rest} more` }];
}

const branching: ReadonlySet<string> = new Set(['anyOf', 'oneOf']);

/** What stands inside alternatives is said once, at the choice; `if` only points at its `then` or `else`. */
function withoutAlternatives(errors: readonly SchemaError[]): readonly SchemaError[] {
  const choices = errors.filter((error) => branching.has(error.keyword));
  return errors.filter(
    (error) =>
      error.keyword !== 'if' &&
      error.keyword !== 'propertyNames' &&
      !choices.some((choice) => isInside(error, choice, errors)),
  );
}

/**
 * Whether an error belongs to one of the alternatives. Behind a `$ref` its path begins anew; then it is told by its
 * place before the choice.
 */
function isInside(error: SchemaError, choice: SchemaError, all: readonly SchemaError[]): boolean {
  const below = error.instancePath === choice.instancePath || error.instancePath.startsWith(`${choice.instancePath}/`);
  if (error === choice || !below) return false;
  if (error.schemaPath.startsWith(`${choice.schemaPath}/`)) return true;
  const around = choice.schemaPath.slice(0, choice.schemaPath.lastIndexOf('/') + 1);
  return !error.schemaPath.startsWith(around) && all.indexOf(error) < all.indexOf(choice);
}

function sentence(error: SchemaError, all: readonly SchemaError[]): string {
  const { params } = error;
  switch (error.keyword) {
    case 'required':
      return `must have \`${params['missingProperty']}\``;
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `must not have \`${params['additionalProperty'] ?? params['unevaluatedProperty']}\``;
    case 'enum':
      return `must be one of ${shortList(params['allowedValues'])}`;
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`;
    case 'type':
      return `must be ${typeWords(params['type'])}`;
    case 'uniqueItems':
      return 'must not have the same element twice';
    case 'pattern':
      return `must match /${params['pattern']}/`;
    case 'format':
      return `must be a valid ${params['format']}`;
    case 'anyOf':
    case 'oneOf':
      return alternatives(error, all);
    case 'false schema':
      return 'is not allowed here';
    default:
      return error.propertyName === undefined
        ? (error.message ?? error.keyword)
        : `has the key \`${error.propertyName}\`, which ${error.message}`;
  }
}

function shortList(values: unknown): string {
  const list = Array.isArray(values) ? values.map((value) => JSON.stringify(value)) : [];
  return list.length > 10 ? `${list.slice(0, 10).join(', ')} …` : list.join(', ');
}

const words: Readonly<Record<string, string>> = {
  integer: 'an integer',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
};

const typeWords = (type: unknown): string =>
  String(Array.isArray(type) ? type.join(',') : type)
    .split(',')
    .map((one) => words[one] ?? one)
    .join(' or ');

/** "must fit one of 2 alternatives: must be text, or must have `id`" */
function alternatives(choice: SchemaError, all: readonly SchemaError[]): string {
  if (Array.isArray(choice.params['passingSchemas'])) {
    return 'must fit exactly one of the alternatives, and fits several';
  }
  const inside = all.filter((error) => isInside(error, choice, all) && !branching.has(error.keyword));
  const reasons = new Set(
    inside.map((error) => {
      const below = error.instancePath.slice(choice.instancePath.length);
      return `${below === '' ? '' : `\`${below}\` `}${sentence(error, all)}`;
    }),
  );
  if (reasons.size === 0 || reasons.size > 6) return 'must fit one of the alternatives of the schema';
  return `must fit one of the alternatives: ${[...reasons].join(', or ')}`;
}
