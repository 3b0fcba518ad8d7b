import type { Definition, Focus, Implementation } from './builtin.ts';
import { chanceOf, meterOf } from './builtin.ts';
import { clone, distinct, max, min, shuffle, sort, spread } from './list-functions.ts';
import { match, replace, split } from './match-functions.ts';
import { Segments } from './segments.ts';
import { join, length, pad, substring, underWatch } from './text-functions.ts';

/**
 * The functions of the library, by name. `$eval` is not among them: nothing from a message is ever run as code; nor is
 * `$error`, which here is the error that was caught. (To raise one there is the step `fail`.)
 */
const fromLibrary =
  'sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad match contains replace split join formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt power random boolean not map zip filter single reduce sift keys lookup append exists spread merge reverse each assert type sort shuffle distinct base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl toMillis fromMillis clone now millis'.split(
    ' ',
  );

/** Every function that an expression may call, without the dollar. */
export const functionNames: ReadonlySet<string> = new Set([...fromLibrary, 'uuid', 'segments']);

/** Functions whose result shares the text it was cut from. */
const cutting = new Set(['substring', 'substringBefore', 'substringAfter', 'lookup', 'reduce', 'single']);

// Better versions of what in the library blocks, grows without bound, or takes time and chance from elsewhere.
const own: Readonly<Record<string, Implementation>> = {
  ...{ max, min, sort, distinct, spread, shuffle, clone, match, replace, split, join, length, pad, substring },
  random(this: Focus) {
    return chanceOf(this.environment).random();
  },
  millis(this: Focus) {
    return chanceOf(this.environment).now();
  },
};

/** The parameters that partial application (`$string(?, true)`) reads from the text of a function. */
const parameters: Readonly<Record<string, string>> = { string: 'arg, prettify', uuid: '', segments: 'text' };

function guarded(name: string, implementation: Implementation, original: Implementation): Implementation {
  const shares = cutting.has(name);
  const run = function (this: Focus, ...args: readonly unknown[]): unknown {
    const meter = meterOf(this.environment);
    const checked = (value: unknown): unknown => {
      if (!shares) meter.built(value);
      return value;
    };
    const go = (): unknown => {
      const value: unknown = Reflect.apply(implementation, this, args);
      return value instanceof Promise ? value.then(checked) : checked(value);
    };
    const pause = meter.tick();
    return pause ? pause.then(go) : go();
  };
  const text = name in parameters ? `function (${parameters[name]})` : original.toString();
  Object.defineProperty(run, 'length', { value: original.length });
  Object.defineProperty(run, 'toString', { value: () => text });
  return run;
}

function segments(text: string | number | undefined): Segments | undefined {
  return text === undefined ? undefined : new Segments(String(text));
}

function uuid(this: Focus): string {
  return chanceOf(this.environment).uuid();
}

/** The functions as the interpreter wants them, each one metered. `library` gives the original of a name. */
export function builtins(
  library: (name: string) => Definition,
  signatureOf: (signature: string) => unknown,
): ReadonlyMap<string, Definition | undefined> {
  const all = new Map<string, Definition | undefined>([
    ['eval', undefined],
    ['error', undefined],
  ]);
  const add = (name: string, implementation: Implementation, original: Implementation, signature: unknown): void => {
    all.set(name, { _jsonata_function: true, implementation: guarded(name, implementation, original), signature });
  };
  for (const name of fromLibrary) {
    const { implementation, signature } = library(name);
    add(name, own[name] ?? implementation, implementation, signature);
  }
  const { implementation: fromMillis } = library('fromMillis');
  const now = library('now');
  const formatNow = function (this: Focus, picture?: string, timezone?: string): unknown {
    return Reflect.apply(fromMillis, this, [chanceOf(this.environment).now(), picture, timezone]);
  };
  add('now', formatNow, now.implementation, now.signature);
  for (const name of ['toMillis', 'parseInteger']) {
    const { implementation, signature } = library(name);
    const watch = underWatch(implementation);
    const run = function (this: Focus, ...args: readonly unknown[]): unknown {
      return args[1] === undefined ? Reflect.apply(implementation, this, args) : watch(this, args);
    };
    add(name, run, implementation, signature);
  }
  add('uuid', uuid, uuid, signatureOf('<:s>'));
  add('segments', segments as Implementation, segments as Implementation, signatureOf('<(sn):x>'));
  return all;
}
