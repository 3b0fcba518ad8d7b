import type { NameMode } from '../core/written.ts';

/**
 * The schema of the language: one literal per option from which everything else is derived: the TypeScript type
 * (`infer.ts`), the reader with its diagnostics (`read.ts`), the editor's JSON Schema and the reference (`compose.ts`).
 *
 * It is JSON Schema cut down to what a language needs, with marks for what JSON Schema cannot say:
 *
 * | mark | in the file | after reading |
 * |---|---|---|
 * | `format: 'duration'` | `500ms`, `5s`, `2m`, `1h`, `7d` | number of milliseconds |
 * | `format: 'size'` | `64kb`, `1mb` | number of bytes |
 * | `format: 'rate'` | `10/s`, `600/m` | `{ count, per }`, `per` in milliseconds |
 * | `format: 'expression'` | JSONata | {@link ExpressionSource} |
 * | `template: true`, `'path'`, `'topic'` … | any value with `${{ }}` holes | {@link TemplateSource} |
 * | `format: 'file'` | path of a file that must exist, relative to the integration | {@link FileSource}, read at load |
 * | `format: 'openapi'` | path of an OpenAPI document that must exist, relative to the integration | {@link OpenApiSource}, read at load |
 * | `format: 'path'` | path for run time, relative to the integration | absolute path |
 * | `format: 'password'` | a secret: never printed | string |
 * | `format: 'uri'`, `'name'` | checked text | string |
 * | `kind: 'steps'` | list of steps | readonly {@link StepSource}[] |
 * | `slot: 'call'` | an extra key: the name of a connector, with its options | `connector: { name, options, pointer }` |
 */
export interface Schema {
  readonly description?: string;
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array';
  readonly enum?: readonly string[];
  readonly format?:
    | 'duration'
    | 'size'
    | 'rate'
    | 'expression'
    | 'file'
    | 'openapi'
    | 'path'
    | 'password'
    | 'uri'
    | 'name'
    | 'cron'
    | 'timezone';
  /** A value whose strings may hold `${{ }}`; with `type`, the type of what must come out. */
  readonly template?: true | 'path' | NameMode;
  readonly kind?: 'steps';
  /** An object that names a connector by a key of its own: `call: { endpoint: x, http: { … } }`. */
  readonly slot?: Slot;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** A required key may be left out where this other one is there: what it says comes from there. */
  readonly unless?: Readonly<Record<string, string>>;
  /** Exactly one of the properties must be there (one-key maps: the key is the kind). */
  readonly oneKey?: true;
  /** Exactly one of these, whatever else is there: for editors; `check` of the connector says it in words. */
  readonly oneOf?: readonly string[];
  /** Keys that belong elsewhere in the file, each with where, as the end of a sentence. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Texts that one might think `enum` has, each with why not and what instead. */
  readonly notTaken?: Readonly<Record<string, string>>;
  /** Schema of all keys that `properties` does not name; absent = such keys are errors. */
  readonly additionalProperties?: Schema;
  /** What the keys of `additionalProperties` are: names that other places refer to, or environment variables. */
  readonly keys?: 'name' | 'variable';
  readonly items?: Schema;
  /** Of a list or of a map. */
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Regular expression (no flags) that text must match, and in words what it asks for. */
  readonly pattern?: string;
  readonly patternText?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  /** A value of any shape, taken as it stands (an inline JSON Schema, the value of a `default`). */
  readonly any?: true;
  /** Alternatives told apart by the YAML type: `schema: ./file.json` or `schema: { … }`. */
  readonly either?: readonly Schema[];
}

/** Which options of a connector stand under its name: of a source, of an endpoint, of one call of an endpoint. */
export type Slot = 'source' | 'endpoint' | 'call';
