import { existsSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { keyPatterns } from '../schema/wording.ts';
import { exitCode } from './exit-codes.ts';
import { print, say } from './output.ts';
import { isAtHome, isEmptyFolder, packageRoot, scaffold } from './scaffold.ts';
import { parse, UsageError } from './usage.ts';

const kinds = ['http', 'timer', 'file'] as const;
type Kind = (typeof kinds)[number];

const usage = `
dowel new NAME [--from http|timer|file]

Starts a new integration in a new folder of that name: one that runs as it is, with a schema, tests, a README with
commands to try, and the line that lets editors complete and check it.

  --from   what its messages come from: http requests (default), a timer, the files of a folder
`;

export async function command(args: readonly string[]): Promise<number> {
  const parsed = parse(args, {
    text: usage,
    options: { from: { type: 'string', default: 'http' } },
    positionals: { min: 1, max: 1 },
  });
  if (!parsed) return exitCode.done;
  const kind = parsed.values.from as Kind;
  if (!kinds.includes(kind)) throw new UsageError(`--from takes ${kinds.join(', ')}, not ${kind}`);
  const folder = resolve(parsed.positionals[0] ?? '');
  checkName(basename(folder));
  if (existsSync(folder) && !isEmptyFolder(folder)) {
    throw new UsageError(`${shown(folder)} is there already, and not an empty folder; choose another name`);
  }
  for (const file of make(folder, kind)) print(`${shown(join(folder, file))}\n`);
  say(
    `\nNow:  cd ${quoted(shown(folder))} && npx dowel dev integration.yaml\nIts tests:  npx dowel test\nREADME.md has commands to try.`,
  );
  // Elsewhere npx would look for a package of that name on the network.
  if (!isAtHome(folder)) say(`Once, so that npx finds dowel there:  npm install --global ${quoted(packageRoot)}`);
  return exitCode.done;
}

function make(folder: string, kind: Kind): readonly string[] {
  try {
    return scaffold(folder, { name: basename(folder), kind });
  } catch (thrown) {
    // What the operating system refuses is a matter of the place, not of Dowel.
    if (!(thrown instanceof Error) || !('syscall' in thrown)) throw thrown;
    throw new UsageError(`${shown(folder)} cannot be made: ${thrown.message}`);
  }
}

function checkName(name: string): void {
  if (keyPatterns.name.test(name)) return;
  const better = name.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replaceAll(/^[^A-Za-z]+|-+$/g, '');
  throw new UsageError(
    `${JSON.stringify(name)} is no name for an integration: letters, digits, - and _, beginning with a letter${better === '' ? '' : `; for example ${better}`}`,
  );
}

const shown = (path: string): string => relative(process.cwd(), path) || '.';

// The path before the name may hold anything.
const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
