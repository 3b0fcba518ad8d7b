import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearest } from '../schema/nearest.ts';
import { print } from './output.ts';

/** Wrong usage: exit code 2, the message says what is right. */
export class UsageError extends Error {}

/** The environment says something that cannot be: exit code 78, the message says what is right. */
export class EnvironmentError extends Error {}

interface Usage<O extends NonNullable<ParseArgsConfig['options']>> {
  /** Printed by `--help`. */
  readonly text: string;
  readonly options: O;
  /** How many positional arguments there must be; `names`: what they are, where the first line of the help does not say it. */
  readonly positionals: { readonly min: number; readonly max: number; readonly names?: readonly string[] };
}

type Parsed<O extends NonNullable<ParseArgsConfig['options']>> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: true }>
>;

/** The arguments of a command; `undefined` when help was asked for and printed. */
export function parse<const O extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  usage: Usage<O>,
): Parsed<O> | undefined {
  if (args.includes('--help') || args.includes('-h')) {
    print(`${usage.text.trim()}\n`);
    return undefined;
  }
  let parsed: Parsed<O>;
  try {
    parsed = parseArgs({ args: [...args], options: usage.options, allowPositionals: true }) as Parsed<O>;
  } catch (thrown) {
    const message = thrown instanceof Error ? (thrown.message.split('. ')[0] ?? '') : String(thrown);
    throw new UsageError(`${message}${meant(message, Object.keys(usage.options))}\n\n${usage.text.trim()}`);
  }
  const { length } = parsed.positionals;
  if (length < usage.positionals.min) {
    throw new UsageError(
      `${usage.positionals.names?.[length] ?? missing(usage.text, length)} is missing\n\n${usage.text.trim()}`,
    );
  }
  if (length > usage.positionals.max) throw new UsageError(`that is one argument too many\n\n${usage.text.trim()}`);
  return parsed;
}

/** The one file that a command takes. */
export function fileOf([file = '']: readonly string[]): string {
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  if (statSync(file).isDirectory()) {
    throw new UsageError(`${file} is a folder; name its file, as in ${join(file, 'integration.yaml')}`);
  }
  return file;
}

/** What stands at that place in the first line of the help. */
function missing(text: string, at: number): string {
  const [line = ''] = text.trim().split('\n', 1);
  const names = line.split(' ').filter((word) => /^[A-Z]+…?$/.test(word));
  return names[at]?.replace('…', '') ?? 'something';
}

function meant(message: string, options: readonly string[]): string {
  const [, name] = /^Unknown option '--([^']+)'/.exec(message) ?? [];
  const close = name === undefined ? undefined : nearest(name, options);
  return close === undefined ? '' : `; did you mean --${close}?`;
}
