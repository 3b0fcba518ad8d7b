import type { FileSource, Finding, OpenApiSource, Report } from '../core/written.ts';
import type { ScalarNode } from './node.ts';
import type { Schema, Slot } from './schema.ts';

/** A step's or a connector's name with the schemas that the reader needs. */
export interface KindSchemas {
  readonly steps: ReadonlyMap<string, Schema>;
  readonly connectors: ReadonlyMap<string, Readonly<Partial<Record<Slot, Schema>>>>;
}

/** What `${NAME}` gave in a literal field. */
export interface Literal {
  readonly text: string;
  /** The text was exactly one `${NAME}`: it takes whatever type the schema asks for. */
  readonly coerced: boolean;
  /** How messages call it; a secret's value is not in it. */
  readonly shown: string;
}

/**
 * `reported`: a finding says why there is no value. `unknown`: the value comes from an environment that is not there
 * now (`validate` in CI). `absent`: an optional config without a value.
 */
export type Interpolated = Literal | 'reported' | 'unknown' | 'absent';

/**
 * What surrounds the reader: the kinds it knows, config, files, and where findings go. What looks at a value reports to
 * the `report` that it is given: the reader also reads on trial.
 */
export interface ReadContext {
  readonly kinds: KindSchemas;
  /** Nothing is guessed on trial: guesses inside of guesses would double the work at every level. */
  readonly trial?: true;
  report(finding: Finding): void;
  /** Says that the value at `pointer` is a stand-in: what is found there later follows from that. */
  standIn(pointer: string): void;
  /** Says that what stands at `written` was read as if it stood at `as`: where it belongs, or as it should be spelt. */
  moved(as: string, written: string): void;
  literal(node: ScalarNode, report: Report): Interpolated;
  /** The values of config in a literal field that is secret, each with what its declaration says. */
  configIn(node: ScalarNode): readonly { readonly name: string; readonly secret: boolean }[];
  /** The text of a template with `${NAME}` replaced; a value of config's own type where it is exactly one. */
  template(node: ScalarNode, report: Report): unknown;
  expression(node: ScalarNode, report: Report): void;
  file(path: string, node: ScalarNode, report: Report): FileSource | undefined;
  openapi(path: string, node: ScalarNode, report: Report): OpenApiSource | undefined;
  /** The absolute path of a path in the file. */
  path(path: string): string;
  secret(value: string): void;
  /** Any other text of the file that is no expression. */
  text(value: string): void;
  /** A connector's own checks, after its options were read without a finding. */
  check(connector: string, slot: Slot, options: unknown, pointer: string, report: Report): void;
  /** The options with what follows from others of them; `given` are the keys that are written. */
  complete(
    connector: string,
    slot: Slot,
    written: { readonly options: unknown; readonly given: readonly string[] },
    pointer: string,
    report: Report,
  ): unknown;
}

/** A context that keeps what it is told to itself, and the errors it was told. */
export function onTrial(context: ReadContext): { readonly context: ReadContext; readonly errors: readonly Finding[] } {
  const errors: Finding[] = [];
  const nothing = (): void => undefined;
  const report = (finding: Finding): void => {
    if (finding.severity === 'error') errors.push(finding);
  };
  return {
    context: { ...context, trial: true, report, standIn: nothing, moved: nothing, secret: nothing, text: nothing },
    errors,
  };
}

/** The maps around a value, innermost first: for hints where a misplaced key belongs. */
export interface Trail {
  /** The key of the outer map under which the inner one stands. */
  readonly key: string;
  readonly names: readonly string[];
  /** The schema that stands under one of the names. */
  readonly under: (name: string) => Schema | undefined;
  readonly outer?: Trail | undefined;
}
