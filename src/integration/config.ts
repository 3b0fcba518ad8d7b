import { readFileSync } from 'node:fs';
import { withoutPasswords } from '../core/url-passwords.ts';
import type { Report } from '../core/written.ts';
import type { Infer } from '../schema/infer.ts';
import { configSchema, type configTypes } from '../schema/language.ts';
import { entryOf, isNothing, type Node, type ScalarNode } from '../schema/node.ts';
import { readValue } from '../schema/read.ts';
import type { ReadContext } from '../schema/read-context.ts';
import { readScalar } from '../schema/read-scalar.ts';
import type { Schema } from '../schema/schema.ts';

export type ConfigType = (typeof configTypes)[number];

/**
 * A declared value: `set`; `absent`, which it may be; `unknown`, because the environment it comes from is not there now;
 * or `reported`, where a finding says why there is none.
 */
export type Setting = { readonly name: string; readonly type: ConfigType; readonly secret: boolean } & (
  | { readonly state: 'set'; readonly text: string; readonly value: string | number | boolean }
  | { readonly state: 'absent' | 'unknown' | 'reported' }
);

export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `optional`: values that are not set are no findings, as in CI. */
  readonly config: 'required' | 'optional';
}

type Declared = Infer<typeof configSchema>[string];

const schemas: Readonly<Record<ConfigType, Schema>> = {
  string: { type: 'string' },
  integer: { type: 'integer' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  uri: { type: 'string', format: 'uri' },
  duration: { type: 'string', format: 'duration' },
  size: { type: 'string', format: 'size' },
};

/** Reads `config` and looks every value up in the environment; all that are missing are reported. */
export function readConfig(
  node: Node | undefined,
  context: ReadContext,
  environment: Environment,
): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  if (node === undefined) return settings;
  let findings = 0;
  let typeIsWrong = false;
  const counting: ReadContext = {
    ...context,
    report: (finding) => {
      findings++;
      typeIsWrong ||= finding.pointer.endsWith('/type');
      context.report(finding);
    },
  };
  if (node.kind !== 'map') readValue(node, configSchema, counting);
  const entries = node.kind === 'map' ? node.entries : [];
  for (const entry of entries) {
    findings = 0;
    typeIsWrong = false;
    // A variable that is declared itself names no file of another.
    const file = `${entry.key}_FILE`;
    const isOwn = entries.some((other) => other.key === file);
    const around = isOwn ? { ...environment, env: { ...environment.env, [file]: undefined } } : environment;
    const single: Node = { kind: 'map', pointer: node.pointer, entries: [entry] };
    const declared = readValue(single, configSchema, counting)[entry.key];
    const { type, secret } = declared ?? { type: 'string', secret: false };
    const fallback = declared && !typeIsWrong && readDefault(declared, entry.value, counting);
    const setting: Setting =
      findings > 0 || declared === undefined
        ? { name: entry.key, type, secret, state: 'reported' }
        : lookUp(entry.key, declared, fallback || undefined, entry.value.pointer, counting, around);
    settings.set(entry.key, setting);
  }
  return settings;
}

/** The text of `default`, checked by its type. */
function readDefault(declared: Declared, node: Node, context: ReadContext): string | undefined {
  const written = entryOf(node, 'default');
  if (written === undefined) return undefined;
  const report = (code: string, message: string): undefined => {
    context.report({ severity: 'error', code, message, pointer: written.pointer });
    return undefined;
  };
  if (written.kind === 'scalar' && !isNothing(written) && typeof written.value !== 'string' && isText(declared.type)) {
    if (entryOf(node, 'type') === undefined) {
      const type =
        typeof written.value === 'boolean' ? 'boolean' : Number.isInteger(written.value) ? 'integer' : 'number';
      return report('wrong-type', `This default is no text: add \`type: ${type}\`, or put it in quotes`);
    }
  }
  if (written.kind === 'scalar' && written.text.includes('${')) {
    return report('bad-default', 'A default is taken as it stands: it cannot refer to other values by `${…}`');
  }
  const literal = (scalar: ScalarNode) => ({
    text: scalar.text,
    coerced: false,
    shown: `the text ${JSON.stringify(scalar.text)}`,
  });
  readScalar(written, schemas[declared.type], { ...context, literal });
  return written.kind === 'scalar' ? written.text : undefined;
}

const isText = (type: ConfigType): boolean => schemas[type].type === 'string';

function lookUp(
  name: string,
  declared: Declared,
  fallback: string | undefined,
  pointer: string,
  context: ReadContext,
  { env, config }: Environment,
): Setting {
  const { type, secret } = declared;
  const state = (which: 'absent' | 'unknown' | 'reported'): Setting => ({ name, type, secret, state: which });
  const set = (text: string): Setting => ({ name, type, secret, state: 'set', text, value: typedText(text, type) });
  const report = problems(context.report, pointer, name);

  const given = fromEnvironment(name, env, report);
  if (given === 'reported') return state('reported');
  if (given === undefined) {
    if (fallback !== undefined) return set(fallback);
    if (!declared.required) return state(config === 'optional' ? 'unknown' : 'absent');
    if (config === 'optional') return state('unknown');
    report('config-missing', missing(name, declared));
    return state('reported');
  }
  let wrong = false;
  const shown = secret
    ? `another text in ${given.from}`
    : `${JSON.stringify(withoutPasswords(given.text))} in ${given.from}`;
  const scalar: ScalarNode = { kind: 'scalar', pointer, value: given.text, text: given.text };
  readScalar(scalar, schemas[type], {
    ...context,
    literal: () => ({ text: given.text, coerced: true, shown }),
    report: (finding) => {
      wrong = true;
      context.report({ ...finding, at: 'key', code: 'config-invalid', suggestion: undefined });
    },
  });
  return wrong ? state('reported') : set(given.text);
}

type Say = (code: string, message: string) => void;

const problems =
  (report: Report, pointer: string, name: string): Say =>
  (code, message) =>
    report({ severity: 'error', code, message, pointer, at: 'key', name });

interface Given {
  readonly text: string;
  readonly from: string;
}

/** An empty variable counts as not set: that is how Compose and CI hand on what they do not have. */
function fromEnvironment(name: string, env: Environment['env'], report: Say): Given | 'reported' | undefined {
  const text = env[name];
  const path = env[`${name}_FILE`];
  if (text && path) {
    report('config-conflict', `Both ${name} and ${name}_FILE are set in the environment: unset one of them`);
    return 'reported';
  }
  if (text) return { text, from: 'the environment' };
  if (!path) return undefined;
  try {
    const content = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (content !== '') return { text: content, from: `the file that ${name}_FILE names` };
    report('config-missing', `The file that ${name}_FILE names is empty: ${path}`);
  } catch (thrown) {
    const why = (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read';
    report('config-missing', `The file that ${name}_FILE names ${why}: ${path}`);
  }
  return 'reported';
}

function missing(name: string, declared: Declared): string {
  const what = declared.description === undefined ? '' : ` (${declared.description})`;
  const how = declared.secret ? `${name}=…, or ${name}_FILE=… with the path of a file that holds it` : `${name}=…`;
  return `\`${name}\`${what} is not set: set the environment variable ${how}${declared.secret ? '' : ', or give it a `default`'}`;
}

function typedText(text: string, type: ConfigType): string | number | boolean {
  if (type === 'integer' || type === 'number') return Number(text);
  return type === 'boolean' ? text === 'true' : text;
}
