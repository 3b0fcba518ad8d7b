/** Whether documents are what they say they are: held against the official schemas of OpenAPI and AsyncAPI. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Validator } from '@seriousme/openapi-schema-validator';
import { compileJsonSchema } from '../../src/schema/validator.ts';

const load = createRequire(import.meta.url);

type Json = Readonly<Record<string, unknown>>;

/** Compiles the schema of a version once. */
const openApi = new Validator();

/** The schema of AsyncAPI is half a megabyte: compiled once. */
let asyncApi: ReturnType<typeof compileJsonSchema> | undefined;

export async function isOpenApi(document: unknown): Promise<void> {
  const result = await openApi.validate(structuredClone(document) as Record<string, unknown>);
  assert.deepEqual(result.valid ? [] : result.errors, []);
  assertRefs(document);
  const { schemas = {} } = ((document as Json)['components'] ?? {}) as { readonly schemas?: Json };
  for (const [name, schema] of Object.entries(schemas)) {
    // What its references mean is found from the root of a document.
    const whole = { ...(schema as Json), components: { schemas } };
    assert.doesNotThrow(() => compileJsonSchema(whole), `the schema ${name}`);
  }
}

export function isAsyncApi(document: unknown): void {
  asyncApi ??= compileJsonSchema(load('@asyncapi/specs/schemas/3.0.0-without-$id.json'), true);
  assert.deepEqual(asyncApi(document), []);
  assertRefs(document);
}

/** That every reference leads somewhere: the schemas of documents do not ask for that. */
function assertRefs(document: unknown): void {
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const ref = (value as Json)['$ref'];
    if (typeof ref === 'string') assert.ok(found(document, ref), `nothing is at ${ref}`);
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(document);
}

function found(document: unknown, ref: string): boolean {
  let value = document;
  for (const segment of ref.split('/').slice(1)) {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return false;
    value = (value as Json)[name];
  }
  return ref.startsWith('#');
}
