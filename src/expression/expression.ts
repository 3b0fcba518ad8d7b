import type { Warning } from './analyse.ts';
import { analyse } from './analyse.ts';
import type { Node } from './ast.ts';
import { some } from './ast.ts';
import type { Chance } from './builtin.ts';
import { functionNames } from './builtins.ts';
import { evaluationFailure } from './failures.ts';
import { compileFast } from './fast.ts';
import type { Run } from './fast-frame.ts';
import { Frame } from './fast-frame.ts';
import { type Fields, fieldsOf } from './fields.ts';
import type { Program } from './jsonata.ts';
import { parse } from './jsonata.ts';
import { limits } from './limits.ts';
import { clone } from './list-functions.ts';
import { normalise } from './normalise.ts';
import { type Oddity, odditiesOf } from './oddities.ts';
import { bail } from './plain.ts';
import { ExpressionSyntaxError, syntaxError } from './syntax.ts';

/** What a message offers an expression. */
export interface Scope {
  /** The parsed body; asked only if the expression looks at it. */
  body(): unknown | Promise<unknown>;
  /** `headers`, `params`, `found` …: a name without its dollar. */
  variable(name: string): unknown;
  /** Milliseconds since the epoch, of the injected clock. */
  now(): number;
  /** In [0, 1), of the injected source. */
  random(): number;
  uuid(): string;
}

export interface Expression {
  readonly source: string;
  /** Whether it reads the body; true when in doubt. */
  readonly looksAtBody: boolean;
  /** The variables it needs from outside, each with the offset of its first use. */
  readonly variables: ReadonlyMap<string, number>;
  readonly constant: { readonly value: unknown } | undefined;
  readonly warnings: readonly Warning[];
  /** The fields that it takes of variables. */
  fields(): readonly Fields[];
  /** What it has in it that can hardly be meant. */
  oddities(): readonly Oddity[];
  /** Throws or rejects with the failures `expression` and `expression-limit`, and with whatever the body does. */
  evaluate(scope: Scope): unknown | Promise<unknown>;
}

export { ExpressionSyntaxError, functionNames, limits };

function parsed(source: string): Program {
  try {
    return parse(source);
  } catch (thrown) {
    throw syntaxError(source, thrown);
  }
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

const isOurs = (procedure: Node | undefined): boolean =>
  procedure?.type === 'lambda' || (procedure?.type === 'variable' && functionNames.has(String(procedure.value)));

// Where the interpreter may write into what it was given: into a list that it groups or marks with `[]`, with `|…|` into
// whatever the pattern reaches, and into what is called like a function.
const mayWrite = (node: Node): boolean =>
  (node.type === 'function' && !isOurs(node.procedure)) ||
  node.keepArray === true ||
  node.keepSingletonArray === true ||
  node.group !== undefined ||
  node.type === 'transform' ||
  (node.type === 'unary' && node.value === '{');

function chanceOf(scope: Scope): Chance {
  let now: number | undefined;
  return {
    now: () => {
      now ??= scope.now(); // one evaluation is one moment
      return now;
    },
    random: () => scope.random(),
    uuid: () => scope.uuid(),
  };
}

const unchanging = (): Chance => {
  throw bail;
};

/** The value of an expression that needs nothing. */
function fold(run: Run | undefined): { readonly value: unknown } | undefined {
  try {
    const value = run?.(new Frame(undefined, { variable: () => undefined }, unchanging), undefined);
    return value === undefined ? undefined : { value };
  } catch (thrown) {
    if (thrown === bail) return undefined;
    throw thrown;
  }
}

// Where the compiled form keeps giving up, it is only tried now and then.
const patience = 8;
const retryEvery = 64;

/** Compiles JSONata. Throws an ExpressionSyntaxError. */
export function compileExpression(source: string): Expression {
  const program = parsed(source);
  const { looksAtBody, variables, warnings } = analyse(source, program.ast);
  const copies = some(program.ast, mayWrite);
  const names = [...variables.keys()];
  // Made when it is needed: of the expressions of a large file most wait long for their first message.
  let made: { readonly run: Run | undefined } | undefined;
  const compiled = (): Run | undefined => {
    made ??= { run: compileFast(program.ast) };
    return made.run;
  };
  const isClosed = !looksAtBody && names.length === 0;
  const constant = isClosed ? fold(compiled()) : undefined;
  let misses = 0;

  async function interpret(scope: Scope, body: unknown): Promise<unknown> {
    const given: Record<string, unknown> = {};
    for (const name of names) given[name] = copies ? clone(scope.variable(name)) : scope.variable(name);
    try {
      return normalise(await program.interpret(copies ? clone(body) : body, given, chanceOf(scope)));
    } catch (thrown) {
      throw evaluationFailure(source, thrown);
    }
  }

  function run(scope: Scope, body: unknown): unknown {
    if (misses > patience && misses++ % retryEvery !== 0) return interpret(scope, body);
    try {
      const fast = compiled();
      if (!fast) return interpret(scope, body);
      const value = fast(new Frame(body, scope, () => chanceOf(scope)), body);
      misses = 0;
      return value;
    } catch {
      // It gave up; or it met what only the interpreter has a name for (a getter that throws, no room on the stack).
      misses += 1;
      return interpret(scope, body);
    }
  }

  function evaluate(scope: Scope): unknown {
    if (constant) return constant.value;
    const body = looksAtBody ? scope.body() : undefined;
    return isPromise(body) ? body.then((value) => run(scope, value)) : run(scope, body);
  }

  return {
    source,
    looksAtBody,
    variables,
    constant,
    warnings,
    fields: () => fieldsOf(program.ast),
    oddities: () => odditiesOf(source, program.ast),
    evaluate,
  };
}
