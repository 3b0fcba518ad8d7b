import type { Handler } from '../core/exchange.ts';
import { ExpressionSource, type Finding, type Report, type StepSource, TemplateSource } from '../core/written.ts';
import { detailOf, Failure } from '../errors.ts';
import { type Expression, ExpressionSyntaxError, functionNames } from '../expression/expression.ts';
import { compileTemplate, type Template, type TemplateProblem } from '../expression/template.ts';
import { formatFor, formatNamed, parseContentType } from '../format/index.ts';
import { readJson } from '../format/json.ts';
import { misspeltKeywords } from '../schema/json-keywords.ts';
import { nearest } from '../schema/nearest.ts';
import type {
  CompileContext,
  Compiled,
  Ending,
  EndpointReference,
  Evaluate,
  FormatReference,
  Later,
  SchemaFinding,
  StepsOptions,
} from '../steps/step.ts';
import type { Store } from '../store/store.ts';
import type { FirstBody } from './body-use.ts';
import { bound, literal } from './bound.ts';
import { selectorProblem } from './checks.ts';
import { expressionFindings, textFindings } from './expression-checks.ts';
import { missingName, unknownName } from './missing-name.ts';
import { Names, variableName } from './names.ts';
import { noSource } from './no-source.ts';
import { filling } from './options.ts';
import { pointed, pointerOf } from './pointer.ts';
import type { LaterSource } from './program.ts';
import { ExchangeScope, reserved } from './scope.ts';
import { unheard } from './unheard.ts';

/** What the steps of one flow share while they are compiled. */
export interface FlowWorld {
  readonly expression: (source: string) => Expression;
  readonly flow: string;
  /** Names a step in what outlives the process. */
  identify(kind: string): string;
  readonly body: FirstBody;
  readonly report: Report;
  /** Secrets and misspelt config names are found by `$config.NAME`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly secretNames: readonly string[];
  /** What `$params` has; `undefined` where nobody knows. */
  readonly params: readonly string[] | undefined;
  /** The fields that JSON Schemas of the flow declare. */
  declaredFields(): ReadonlySet<string>;
  /** Every name that a step of the flow gives a result, wherever it is known. */
  readonly givenNames: ReadonlySet<string>;
  /** Of `fail` steps; `undefined` where a script may throw any code. */
  readonly errorCodes: ReadonlySet<string> | undefined;
  endpoint(name: string): EndpointReference | undefined;
  readonly endpointNames: readonly string[];
  /** Reports unknown, circular and misused flows at `pointer`. */
  flowHandler(name: string, pointer: string): Handler | undefined;
  store(): () => Store;
  makeDurable(): void;
  /** Whether messages come in here; else it is a sub-flow. */
  readonly hasSource: boolean;
  later(later: LaterSource): void;
  module(path: string, exportName: string, pointer: string): () => (...args: readonly unknown[]) => unknown;
  jsonSchema(schema: unknown): (value: unknown) => readonly SchemaFinding[];
  steps(list: readonly StepSource[], place: Place): Compiled;
}

/** Where in a flow: which names exist, and whether somebody awaits an answer. */
export interface Place {
  readonly names: Names;
  readonly error: boolean;
  /** Another one behind a step that sends the answer itself. */
  reply: CompileContext['reply'];
  readonly undoWanted: boolean;
  readonly among: CompileContext['among'];
}

/** Gives a step what it may ask for while it is compiled. */
export class StepContext implements CompileContext {
  readonly pointer: string;
  readonly title: string;
  readonly identity: string;
  readonly #world: FlowWorld;
  #place: Place;

  constructor(world: FlowWorld, place: Place, pointer: string, title: string, identity = '') {
    this.#world = world;
    this.#place = place;
    this.pointer = pointer;
    this.title = title;
    this.identity = identity;
  }

  get among(): CompileContext['among'] {
    return this.#place.among;
  }

  get body(): FirstBody {
    return this.#world.body;
  }

  get undoWanted(): boolean {
    return this.#place.undoWanted;
  }

  get reply(): CompileContext['reply'] {
    return this.#place.reply;
  }

  report(at: string, finding: Omit<Finding, 'pointer' | 'severity'> & { severity?: Finding['severity'] }): void {
    this.#world.report({ severity: 'error', ...finding, pointer: at === '' ? this.pointer : `${this.pointer}/${at}` });
  }

  expression(source: ExpressionSource, options: { error?: boolean; declare?: readonly string[] } = {}): Evaluate {
    let expression: Expression;
    try {
      expression = this.#world.expression(source.text);
    } catch (thrown) {
      if (!(thrown instanceof ExpressionSyntaxError)) throw thrown;
      this.#broken(source.pointer, thrown);
      return () => undefined;
    }
    this.#check(expression, source.pointer, 0, options);
    return bound(expression);
  }

  dependsOnMessage(source: ExpressionSource): boolean {
    try {
      const { looksAtBody, variables } = this.#world.expression(source.text);
      return looksAtBody || [...variables.keys()].some((name) => name !== 'config');
    } catch (thrown) {
      if (thrown instanceof ExpressionSyntaxError) return true;
      throw thrown;
    }
  }

  template(source: TemplateSource): Evaluate {
    const template = this.#template(source);
    const { constant } = template;
    if (constant) return () => constant.value;
    return (exchange) => template.evaluate(new ExchangeScope(exchange));
  }

  constant(source: TemplateSource): { readonly value: unknown } | undefined {
    return compileTemplate(source.value, source.mode, () => {}, this.#world.expression).constant;
  }

  evaluated(options: unknown): Evaluate {
    const whole = this.#evaluated(options);
    const { constant } = whole;
    if (constant) return () => constant.value;
    return whole.evaluate;
  }

  steps(list: readonly StepSource[], options: StepsOptions = {}): Compiled {
    const { body } = this.#world;
    const place = this.#inside(options);
    const compile = (): Compiled => this.#world.steps(list, place);
    const scoped = options.scope === 'inner' ? () => body.apart(compile) : compile;
    return options.repeated ? body.repeatedly(scoped) : scoped();
  }

  #inside(options: StepsOptions): Place {
    const here = this.#place;
    const inner = options.scope === 'inner' || options.noReply !== undefined;
    return {
      names: options.scope === 'inner' || options.declare ? new Names(options.declare, here.names) : here.names,
      error: here.error || (options.error ?? false),
      undoWanted: options.undo === undefined ? here.undoWanted : options.undo === 'wanted',
      among: inner ? 'apart' : 'step',
      reply: inner ? { possible: false, why: options.noReply ?? 'the steps stand apart from the flow' } : here.reply,
    };
  }

  alternatives<T extends Ending>(compile: readonly (() => T)[]): readonly T[] {
    return this.#world.body.alternatives(compile);
  }

  attempt<T, U extends Ending>(
    main: () => T,
    instead: (() => U) | undefined,
    rejoins: boolean,
  ): readonly [T, U | undefined] {
    return this.#world.body.attempt(main, instead, rejoins);
  }

  inner(names: readonly string[], compile: () => void): void {
    const before = this.#place;
    this.#place = { ...before, names: new Names(names, before.names) };
    this.#world.body.apart(compile);
    this.#place = before;
  }

  provide(name: string): void {
    this.#place.names.add(name);
  }

  declare(name: string, at: string): void {
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      const suggestion = variableName(name);
      const write = suggestion === undefined ? '' : `; for example \`${suggestion}\``;
      this.report(at.replace(/(?<=^variables\/).*/s, pointed), {
        code: 'bad-name',
        at: at.startsWith('variables/') ? 'key' : 'value',
        message: `\`${name}\` cannot be written as a variable: letters, digits and \`_\`, beginning with no digit${write}`,
        suggestion,
      });
      // However it is used: that it is not known follows from this.
      for (const one of [name, suggestion ?? name, /^\w*/.exec(name)?.[0] ?? name]) this.#place.names.add(one);
      return;
    }
    const taken = reserved.includes(name)
      ? 'a variable of the language'
      : functionNames.has(name)
        ? 'a JSONata function'
        : '';
    if (taken) {
      this.report(at, {
        code: 'shadows-built-in',
        at: at.startsWith('variables/') ? 'key' : 'value',
        message: `\`$${name}\` is ${taken}: a result needs another name, such as \`${name}Result\``,
        suggestion: `${name}Result`,
      });
      return;
    }
    this.#place.names.add(name);
  }

  endpoint(name: string, at: string): EndpointReference | undefined {
    const found = this.#world.endpoint(name);
    if (!found)
      this.#unknown(at, 'unknown-endpoint', `endpoint \`${name}\``, name, this.#world.endpointNames, 'endpoints');
    return found;
  }

  endpoints(connector: string | undefined): readonly EndpointReference[] {
    return this.#world.endpointNames
      .map((name) => this.#world.endpoint(name))
      .filter((one) => one !== undefined)
      .filter((one) => connector === undefined || one.connector === connector);
  }

  selector(selector: string, at: string): void {
    const problem = selectorProblem(selector, this.#world.errorCodes);
    if (problem) this.report(at, { severity: 'warning', code: 'unknown-error-code', ...problem });
  }

  store(): () => Store {
    return this.#world.store();
  }

  makeDurable(): void {
    this.#world.makeDurable();
  }

  later(rest: Handler, later: Later): void {
    if (!this.#world.hasSource) this.report('', noSource(this.pointer));
    this.#world.later({ identity: this.identity, flow: this.#world.flow, rest, later });
  }

  nobodyAwaits(why: string): void {
    this.#place.reply = { possible: false, why };
  }

  forgetNames(): void {
    this.#place.names.forgetAllBut(reserved.filter((name) => name !== 'failed'));
  }

  flow(name: string, at: string): Handler | undefined {
    return this.#world.flowHandler(name, `${this.pointer}/${at}`);
  }

  module(path: string, exportName: string): () => (...args: readonly unknown[]) => unknown {
    return this.#world.module(path, exportName, `${this.pointer}/module`);
  }

  jsonSchema(schema: unknown, at: string): (value: unknown) => readonly SchemaFinding[] {
    try {
      const read = typeof schema === 'string' ? readJson(Buffer.from(schema)) : schema;
      const check = this.#world.jsonSchema(read);
      if (this.#world.report === unheard) return check;
      for (const { pointer, keyword, meant } of misspeltKeywords(read)) {
        const inline = typeof schema !== 'string';
        this.report(inline ? `${at}${pointer}` : at, {
          severity: 'warning',
          code: 'unknown-keyword',
          at: inline ? 'key' : 'value',
          message: `JSON Schema has no \`${keyword}\`${inline ? '' : ` (at ${pointer})`}, and takes no notice of it; did you mean \`${meant}\`?`,
          ...(inline ? { suggestion: meant } : {}),
        });
      }
      return check;
    } catch (thrown) {
      const broken = thrown instanceof Failure && thrown.code === 'malformed';
      const detail = broken ? thrown.facts['detail'] : detailOf(thrown);
      const message = broken ? `This file is not JSON: ${detail}` : `This JSON Schema cannot be used: ${detail}`;
      this.report(at, { code: 'bad-schema', message });
      return () => [];
    }
  }

  format(name: string): FormatReference | undefined {
    return formatNamed(name) as FormatReference | undefined;
  }

  formatFor(contentType: string | undefined): FormatReference | undefined {
    return formatFor(contentType) as FormatReference | undefined;
  }

  charsetOf(contentType: string | undefined): string | undefined {
    return contentType === undefined ? undefined : parseContentType(contentType).charset;
  }

  #template(source: TemplateSource): Template {
    const problem = (found: TemplateProblem): void => {
      const pointer = pointerOf(source.pointer, found.path);
      const { at, message } = found;
      if (at === 'key') this.#world.report({ severity: 'error', code: 'expression', at, message, pointer });
      else this.#broken(pointer, found);
    };
    const template = compileTemplate(source.value, source.mode, problem, this.#world.expression);
    for (const { path, ...found } of textFindings(source.value)) {
      this.#world.report({ ...found, pointer: pointerOf(source.pointer, path) });
    }
    for (const hole of template.expressions) {
      this.#check(hole.expression, pointerOf(source.pointer, hole.path), hole.offset, {});
    }
    return template;
  }

  #evaluated(value: unknown): { constant: { readonly value: unknown } | undefined; evaluate: Evaluate } {
    if (value instanceof TemplateSource) {
      return { constant: this.constant(value), evaluate: this.template(value) };
    }
    if (value instanceof ExpressionSource) return { constant: undefined, evaluate: this.expression(value) };
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return literal(value);
    const parts = Object.entries(value).map(([key, one]) => ({ key, ...this.#evaluated(one) }));
    if (parts.every((part) => part.constant)) {
      return literal(Object.fromEntries(parts.map((part) => [part.key, part.constant?.value])));
    }
    return { constant: undefined, evaluate: filling(parts) };
  }

  #check(
    expression: Expression,
    pointer: string,
    offset: number,
    options: { error?: boolean; declare?: readonly string[] },
  ): void {
    if (expression.looksAtBody) this.#world.body.look();
    if (this.#world.report === unheard) return;
    const { names, error } = this.#place;
    const known = (name: string): boolean =>
      names.has(name) ||
      (name === 'error' && (error || options.error === true)) ||
      (options.declare?.includes(name) ?? false);
    for (const [name, at] of expression.variables) {
      if (known(name)) continue;
      const missing = missingName(name, expression.source, at, this.#world.givenNames, names.all());
      const near = missing.suggestion ? undefined : nearest(name, [...names.all(), ...functionNames]);
      const suggestion = missing.suggestion ?? (near && `$${near}`);
      this.#world.report({
        severity: 'error',
        code: 'unknown-variable',
        message: near ? `${missing.what}; did you mean \`$${near}\`?` : `${missing.what}${missing.hint}`,
        pointer,
        offset: offset + at,
        length: name.length + 1,
        name,
        ...(suggestion ? { suggestion } : {}),
      });
    }
    const { config, secretNames, params, declaredFields } = this.#world;
    const world = { config, secretNames, params: names.has('params') ? params : undefined, declaredFields };
    for (const found of expressionFindings(expression, world)) {
      this.#world.report({ ...found, pointer, offset: offset + found.offset });
    }
  }

  #broken(
    pointer: string,
    problem: { offset: number; message: string; length?: number | undefined; suggestion?: string | undefined },
  ): void {
    const { offset, length, message, suggestion } = problem;
    this.#world.report({ severity: 'error', code: 'expression', message, pointer, offset, length, suggestion });
  }

  #unknown(at: string, code: string, what: string, name: string, names: readonly string[], where: string): void {
    const { hint, suggestion } = unknownName(name, names, where);
    this.report(at, { code, name, message: `There is no ${what}; ${hint}`, ...(suggestion ? { suggestion } : {}) });
  }
}
