import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectorDefinitions } from '../../connectors/index.ts';
import { parseYaml } from '../../src/integration/yaml.ts';
import { composeIntegrationSchema } from '../../src/schema/compose.ts';
import { plainValue } from '../../src/schema/node.ts';
import type { Schema } from '../../src/schema/schema.ts';
import { compileJsonSchema } from '../../src/schema/validator.ts';
import { steps } from '../../src/steps/index.ts';
import { mistakesIn } from '../integration/support/mistakes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const schema = composeIntegrationSchema({ steps, connectors: connectorDefinitions });
const check = compileJsonSchema(schema);

const written = (yaml: string): unknown => {
  const { root: node, findings } = parseYaml(yaml);
  assert.deepEqual(findings, []);
  assert.ok(node);
  return plainValue(node);
};

const flow = (step: string): unknown =>
  written(`dowel: 1\nname: t\nflows: { f: { from: { http: { path: /a } }, steps: [ ${step} ] } }`);

test('what is checked in is what the options say', () => {
  const there: unknown = JSON.parse(readFileSync(join(root, 'schemas/integration.schema.json'), 'utf8'));
  assert.deepEqual(there, JSON.parse(JSON.stringify(schema)));
});

test('it is a schema of draft-07 that every tool can read', () => {
  const { default: Ajv } = createRequire(import.meta.url)('ajv') as typeof import('ajv');
  const ajv = new Ajv({ strict: false });
  assert.equal(ajv.validateSchema(schema), true, JSON.stringify(ajv.errors));
  assert.doesNotMatch(JSON.stringify(schema), /undefined|"oneOf"/);
});

describe('every example is valid', () => {
  for (const file of globSync('integrations/**/integration.yaml', { cwd: root })) {
    test(file, () => assert.deepEqual(check(written(readFileSync(join(root, file), 'utf8'))), []));
  }
});

describe('values', () => {
  for (const [what, step] of [
    ['a value of config where a number belongs', 'loop: { while: a, maxIterations: "${N}", steps: [] }'],
    ['a value of config where a duration belongs', 'delay: { for: "${WAIT}" }'],
    ['a value of config where a word belongs', 'log: { level: "${LEVEL}", message: x }'],
    ['a hole where a number belongs', 'respond: { status: "${{ code }}" }'],
    ['a hole where a map belongs', 'set: { headers: "${{ $headers }}" }'],
    ['any value in a template', 'respond: { body: [1, { a: null }, true, text] }'],
    ['an expression that YAML takes for a boolean', 'filter: { when: true }'],
    ['a file or a schema', 'validate: { schema: { type: object } }'],
    ['a number or a word', 'scatterGather: { require: 2, branches: { a: [], b: [] } }'],
    ['a name and a condition beside the kind', 'stop: {}, name: Ends, when: a > 1'],
  ] as const) {
    test(`${what} is right`, () => assert.deepEqual(check(flow(`{ ${step} }`)), []));
  }

  for (const [what, step] of [
    ['a duration without its unit', 'delay: { for: "5" }'],
    ['a number out of range', 'respond: { status: 42 }'],
    ['text where a number belongs', 'respond: { status: ok }'],
    ['an unknown step', 'cal: {}'],
    ['an unknown option', 'stop: { now: true }'],
    ['an unknown word', 'log: { level: loud, message: x }'],
    ['two ways at once', 'call: { endpoint: e }, respond: {}, x: 1'],
    ['a missing option', 'call: {}'],
    ['an empty list', 'switch: { cases: [] }'],
    ['nothing', ''],
  ] as const) {
    test(`${what} is wrong`, () => {
      const findings = check(flow(`{ ${step} }`));
      assert.notDeepEqual(findings, []);
      assert.deepEqual(
        findings.filter(({ message }) => message.includes('cannot be checked')),
        [],
        'large as it is, it is not the schema that takes the time of a message',
      );
    });
  }

  test('two connectors, or none, are wrong', () => {
    const from = (source: string): unknown =>
      written(`dowel: 1\nname: t\nflows: { f: { from: ${source}, steps: [] } }`);
    assert.deepEqual(check(from('{ timer: { every: 1s } }')), []);
    assert.notDeepEqual(check(from('{}')), []);
    assert.notDeepEqual(check(from('{ timer: { every: 1s }, http: { path: /a } }')), []);
  });
});

test('editors see nearly every mistake in keys and values that `validate` sees', () => {
  const unseen = [...mistakesIn('keys'), ...mistakesIn('values')]
    .filter(({ expected }) => expected.severity === 'error')
    .filter(({ yaml }) => check(written(yaml)).length === 0)
    .map(({ title }) => title);
  // What a schema cannot say, or says only with an error for each alternative.
  assert.deepEqual(unseen, [
    'two kinds in one step',
    'a step that has only a name',
    'an endpoint without a connector',
    'a duration that is nothing',
    'a URL of another protocol',
    'a path with a parameter that is not closed',
    'a time zone that does not exist',
    'a cron expression that is none',
    'a timer without a time',
  ]);
});

describe('every option has words of its own', () => {
  const visit = (one: Schema, path: string): readonly string[] => [
    ...Object.entries(one.properties ?? {}).flatMap(([key, inner]) => [
      ...(inner.description === undefined ? [`${path}.${key}`] : []),
      ...visit(inner, `${path}.${key}`),
    ]),
    ...(one.items ? visit(one.items, `${path}[]`) : []),
  ];
  test('steps', () => {
    assert.deepEqual(
      steps.flatMap((step) => [...(step.summary ? [] : [step.name]), ...visit(step.options, step.name)]),
      [],
    );
  });
  test('connectors', () => {
    const wordless = Object.values(connectorDefinitions).flatMap(({ name, source, endpoint, call }) =>
      [source, endpoint, call].flatMap((one) => (one ? visit(one, name) : [])),
    );
    assert.deepEqual(wordless, []);
  });
});
