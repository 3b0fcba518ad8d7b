/** The only door to the jsonata package: parsing, and interpreting under limits. */
import { createRequire } from 'node:module';
import type { Node } from './ast.ts';
import { some } from './ast.ts';
import type { Chance, Definition, Environment } from './builtin.ts';
import { chanceName, meterName, meterOf } from './builtin.ts';
import { builtins } from './builtins.ts';
import { limits, Meter } from './limits.ts';
import { GuardedRegExp } from './regex.ts';

// As `import` would load it, its source would be kept twice; the small build has the same code in a quarter of the size.
const jsonata = createRequire(import.meta.url)('jsonata/jsonata.min.js') as typeof import('jsonata');

/** What the library throws: a plain object. Its `value` belongs to the message and is never shown. */
export interface LibraryError {
  readonly code: string;
  readonly position?: number;
  readonly token?: unknown;
  readonly value?: unknown;
  readonly value2?: unknown;
  readonly index?: number;
  readonly message?: string;
}

export interface Program {
  readonly ast: Node;
  /** Rejects with a LibraryError, or with whatever else went wrong. */
  interpret(input: unknown, variables: Readonly<Record<string, unknown>>, chance: Chance): Promise<unknown>;
}

// The hooks are looked up like variables, under symbols; the typings know only names.
interface Hooked {
  assign(name: string | symbol, value: unknown): void;
}

const entry = Symbol.for('jsonata.__evaluate_entry');
const exit = Symbol.for('jsonata.__evaluate_exit');

type Lookup = (name: string) => unknown;

// The originals of the functions are reachable only from inside an evaluation; its first node is entered at once.
function libraryLookup(): Lookup {
  const program = jsonata('0');
  let lookup: Lookup | undefined;
  (program as Hooked).assign(entry, (_node: Node, _input: unknown, environment: Environment) => {
    lookup ??= (name) => environment.lookup(name);
  });
  program.evaluate(undefined).catch(() => undefined);
  if (!lookup) throw new Error('jsonata no longer calls its entry hook');
  return lookup;
}

function signatureOf(text: string): unknown {
  const program = jsonata('0');
  program.registerFunction('f', () => undefined, text);
  let found: unknown;
  (program as Hooked).assign(entry, (_node: Node, _input: unknown, environment: Environment) => {
    found = (environment.lookup('f') as Definition).signature;
  });
  program.evaluate(undefined).catch(() => undefined);
  return found;
}

const lookup = libraryLookup();
const functions = builtins((name) => lookup(name) as Definition, signatureOf);

const options = {
  timeout: 60_000, // of the wall clock, while others have their turns too: the meter stops the evaluation itself
  sequence: limits.listLength,
  RegexEngine: GuardedRegExp as unknown as RegExpConstructor,
};

const builds = (node: Node): boolean =>
  (node.type === 'binary' && (node.value === '&' || node.value === '..')) ||
  (node.type === 'unary' && node.value === '[');

function hook(program: Hooked, ast: Node): void {
  const terms = new Set<Node>();
  some(ast, (node) => {
    for (const term of node.terms ?? []) terms.add(term.expression);
    return false;
  });
  program.assign(entry, (node: Node, _input: unknown, environment: Environment) => {
    const meter = meterOf(environment);
    if (terms.has(node)) meter.compared();
    meter.nested(environment.base.depth);
    return meter.tick();
  });
  if (!some(ast, builds)) return;
  program.assign(exit, (node: Node, _input: unknown, environment: Environment, result: unknown) => {
    if (!builds(node)) return;
    if (typeof result === 'string') meterOf(environment).joined(result.length);
    else meterOf(environment).built(result);
  });
}

/** Throws a LibraryError when the source is not JSONata. */
export function parse(source: string): Program {
  const program = jsonata(source, options);
  const ast = program.ast() as unknown as Node;
  let ready = false;
  const prepare = (): void => {
    for (const [name, definition] of functions) program.assign(name, definition);
    hook(program as Hooked, ast);
    ready = true;
  };
  return {
    ast,
    interpret: async (input, variables, chance) => {
      if (!ready) prepare();
      const meter = new Meter();
      try {
        return await program.evaluate(input, { ...variables, [meterName]: meter, [chanceName]: chance });
      } finally {
        meter.end();
      }
    },
  };
}
