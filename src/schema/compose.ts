/**
 * The language as one JSON Schema (draft-07, which every editor knows), for completion, hover texts and a first check.
 * The reader says more, and says it better: what JSON Schema would need `oneOf` for is left to it.
 */
import type { ConnectorKind, Kinds } from './kinds.ts';
import { integrationSchema } from './language.ts';
import { besideStep } from './read-steps.ts';
import type { Schema, Slot } from './schema.ts';
import { keyPatterns } from './wording.ts';

type Json = Readonly<Record<string, unknown>>;

const slots: readonly Slot[] = ['source', 'endpoint', 'call'];

/** The schema of a whole file: its top level, with steps and connectors as definitions. */
export function composeIntegrationSchema(kinds: Kinds): Json {
  const connectors = Object.values(kinds.connectors);
  const steps = kinds.steps.map((step): [string, Json] => [
    `step.${step.name}`,
    {
      title: step.name,
      ...jsonSchema(step.options, connectors),
      description: `${step.summary}${step.pattern === undefined ? '' : ` Pattern: ${step.pattern}.`}`,
    },
  ]);
  const parts = connectors.flatMap((connector) =>
    slots.flatMap((slot): readonly [string, Json][] => {
      const schema = connector[slot];
      if (!schema) return [];
      const own = jsonSchema(schema, connectors);
      const described = { title: connector.name, ...own, description: schema.description ?? connector.summary };
      return [[`${connector.name}.${slot}`, described]];
    }),
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Dowel integration',
    ...jsonSchema(integrationSchema, connectors),
    definitions: { step: anyStep(kinds, connectors), ...Object.fromEntries([...steps, ...parts]) },
  };
}

/** The schema of another kind of file in the same notation. */
export const composeSchema = (title: string, schema: Schema): Json => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title,
  ...jsonSchema(schema, []),
});

function anyStep(kinds: Kinds, connectors: readonly ConnectorKind[]): Json {
  const beside = Object.entries(besideStep).map(([key, schema]) => [key, jsonSchema(schema, connectors)]);
  const named = kinds.steps.map((step) => [step.name, { $ref: `#/definitions/step.${step.name}` }]);
  return {
    type: 'object',
    description: 'One step: its kind is the key. Beside it may stand `name` and `when`.',
    properties: Object.fromEntries([...named, ...beside]),
    additionalProperties: false,
    minProperties: 1,
  };
}

/** No two of the keys together. (`maxProperties` would keep editors from completing the first.) */
const notTwo = (keys: readonly string[]): readonly Json[] =>
  keys.flatMap((one, index) => keys.slice(index + 1).map((other) => ({ not: { required: [one, other] } })));

// What stands for a value: `${NAME}` alone where a type is asked for, anywhere in text; `${{ }}` in templates.
const wholeName = '^\\$\\{[A-Za-z_]\\w*\\}$';
const someName = '\\$\\{[A-Za-z_]\\w*\\}';
const hole = '\\$\\{';

const patterns: Readonly<Partial<Record<NonNullable<Schema['format']>, readonly [pattern: string, says: string]>>> = {
  duration: ['^\\d+(\\.\\d+)?(ms|s|m|h|d)$', 'A duration is a number with a unit: 500ms, 5s, 2m, 1h, 7d'],
  size: ['^\\d+(\\.\\d+)?(b|kb|mb|gb)$', 'A size is a number with a unit: 512b, 64kb, 1mb, 2gb'],
  rate: ['^\\d+/(s|m|h|d)$', 'A rate is a count per time: 10/s, 600/m, 1000/h'],
  uri: ['^[A-Za-z][A-Za-z0-9+.-]*:(?!\\d+(/|$))', 'A URI begins with its scheme: http://localhost:8080'],
  name: [keyPatterns.name.source, 'A name is letters, digits, - and _, beginning with a letter'],
};

function jsonSchema(schema: Schema, connectors: readonly ConnectorKind[]): Json {
  return { ...shape(schema, connectors), ...texts(schema) };
}

/** Defaults are in words only: as `default` editors would write all of them into every new step. */
function texts(schema: Schema): Json {
  const { description, examples } = schema;
  const simple = schema.default !== undefined && typeof schema.default !== 'object';
  const parts = [
    description,
    simple && !description?.includes('efault') ? `Default: \`${schema.default}\`.` : undefined,
    schema.template && `Template: may hold \`\${{ }}\`.`,
    schema.format === 'expression' && !description?.includes('JSONata') ? 'Expression: JSONata.' : undefined,
  ].filter((part) => typeof part === 'string');
  return {
    ...(parts.length > 0 ? { description: parts.join(' ') } : {}),
    ...(examples ? { examples } : {}),
  };
}

function shape(schema: Schema, connectors: readonly ConnectorKind[]): Json {
  if (schema.template) return template(schema, connectors);
  if (schema.either) return { anyOf: schema.either.map((one) => jsonSchema(one, connectors)) };
  if (schema.any) return schema.type ? { type: schema.type } : {};
  if (schema.format === 'expression') return { type: ['string', 'number', 'boolean'] };
  if (schema.kind === 'steps') return { type: 'array', items: { $ref: '#/definitions/step' } };
  if (schema.enum)
    return {
      anyOf: [
        { type: 'string', enum: schema.enum },
        { type: 'string', pattern: someName },
      ],
    };
  switch (schema.type) {
    case 'array':
      return {
        type: 'array',
        items: jsonSchema(schema.items ?? {}, connectors),
        ...(schema.minItems === undefined ? {} : { minItems: schema.minItems }),
      };
    case 'object':
      return object(schema, connectors);
    case 'integer':
    case 'number':
      return number(schema, wholeName);
    case 'boolean':
      return { type: ['boolean', 'string'], pattern: wholeName };
    case 'string':
      return text(schema);
    default:
      return {};
  }
}

function text(schema: Schema): Json {
  const known = schema.format && patterns[schema.format];
  const pattern = known?.[0] ?? schema.pattern;
  const says = known?.[1] ?? schema.patternText;
  if (pattern === undefined) return { type: 'string' };
  return {
    type: 'string',
    pattern: `(${pattern})|${someName}`,
    ...(says === undefined ? {} : { patternErrorMessage: says }),
  };
}

function number(schema: Schema, pattern: string): Json {
  const { type, minimum, maximum } = schema;
  if (minimum !== undefined && minimum === maximum) return { type, const: minimum };
  return {
    type: [type, 'string'],
    pattern,
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
  };
}

// Text first: it is what editors begin a value with.
const anything = ['string', 'number', 'boolean', 'object', 'array', 'null'] as const;

function template(schema: Schema, connectors: readonly ConnectorKind[]): Json {
  if (schema.enum)
    return {
      anyOf: [
        { type: 'string', enum: schema.enum },
        { type: 'string', pattern: hole },
      ],
    };
  switch (schema.type) {
    case undefined:
      return { type: anything };
    case 'string':
      return { type: 'string' };
    case 'integer':
    case 'number':
      return number(schema, hole);
    case 'array':
      return { type: ['array', 'string'], pattern: hole, ...(schema.items ? { items: inTemplate(schema.items) } : {}) };
    case 'object':
      return { ...templateObject(schema), type: ['object', 'string'], pattern: hole };
    default:
      return { type: [schema.type, 'string'], pattern: hole };
  }

  function inTemplate(inner: Schema): Json {
    return jsonSchema({ ...inner, template: true }, connectors);
  }

  function templateObject({ properties, required, additionalProperties }: Schema): Json {
    const own = Object.entries(properties ?? {}).map(([key, inner]) => [key, inTemplate(inner)]);
    return {
      ...(properties ? { properties: Object.fromEntries(own) } : {}),
      ...(required ? { required } : {}),
      ...(additionalProperties?.type ? { additionalProperties: inTemplate(additionalProperties) } : {}),
    };
  }
}

function requiredKeys({ required, unless }: Schema): Json {
  if (!required) return {};
  const always = required.filter((key) => unless?.[key] === undefined);
  const either = required.filter((key) => unless?.[key] !== undefined);
  return {
    ...(always.length > 0 ? { required: always } : {}),
    ...(either.length > 0
      ? { anyOf: either.flatMap((key) => [{ required: [key] }, { required: [unless?.[key]] }]) }
      : {}),
  };
}

function object(schema: Schema, connectors: readonly ConnectorKind[]): Json {
  const { slot, additionalProperties, keys, oneKey } = schema;
  const own = Object.entries(schema.properties ?? {}).map(([key, inner]) => [key, jsonSchema(inner, connectors)]);
  const kinds = connectors
    .filter((connector) => slot && connector[slot])
    .map((connector) => [connector.name, { $ref: `#/definitions/${connector.name}.${slot}` }]);
  const single = oneKey === true || (slot !== undefined && own.length === 0);
  const oneOf = schema.oneOf ?? (slot === 'source' && !single ? kinds.map(([key]) => String(key)) : undefined);
  return {
    type: 'object',
    ...(kinds.length + own.length > 0 ? { properties: Object.fromEntries([...kinds, ...own]) } : {}),
    ...requiredKeys(schema),
    ...(keys ? { propertyNames: { pattern: keyPatterns[keys].source } } : {}),
    additionalProperties: additionalProperties ? jsonSchema(additionalProperties, connectors) : false,
    ...(oneOf ? { anyOf: oneOf.map((key) => ({ required: [key] })), allOf: notTwo(oneOf) } : {}),
    ...(single ? { minProperties: 1, allOf: notTwo([...kinds, ...own].map(([key]) => String(key))) } : {}),
    ...(schema.minItems === undefined ? {} : { minProperties: schema.minItems }),
  };
}
