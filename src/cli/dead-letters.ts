import { Failure } from '../errors.ts';
import { nearest } from '../schema/nearest.ts';
import { type Command, isUnavailable, type Job } from './dead-letters/command.ts';
import { discard } from './dead-letters/discard.ts';
import { list } from './dead-letters/list.ts';
import { options } from './dead-letters/options.ts';
import { openPlace, type Place } from './dead-letters/place.ts';
import { replay } from './dead-letters/replay.ts';
import { show } from './dead-letters/show.ts';
import { exitCode } from './exit-codes.ts';
import { fail } from './output.ts';
import { exitOf } from './process.ts';
import { fileOf, parse, UsageError } from './usage.ts';

const usage = `
dowel dead-letters list FILE [FILTER…] [--order newest|oldest] [--limit 50]
dowel dead-letters show FILE ID [--body]
dowel dead-letters replay FILE ID… [--with current|original] [--rate 10/s]
dowel dead-letters discard FILE ID… --why TEXT

The messages that an integration gave up: of the running one, through its admin server, else on its store. A replay
delivers a message to its flow once more; where that succeeds, its letter is gone.

  FILTER   --flow NAME, --code CODE (or a class such as http-5xx, or a kind), --since and --until (2h ago, as 2h; or a
           time, as 2026-05-01T12:00:00Z); replay and discard take them, or --all, in the place of IDs

  --format   text (default) or json
  --limit    list: how many at most
  --order    list: newest first (default) or oldest first
  --body     show: the bytes of the message as they came, and nothing else
  --with     replay: with the definition of the file as it is (current, default), or with the one that gave it up
  --rate     replay: how many are begun at most, such as 10/s or 100/m; without it, 20 are under way at once
  --why      discard: the reason; it is logged
  --host, --port   where the admin server of the running integration listens, when it is not where the file says

Changing something in a running integration needs its \`admin.token\`, which is taken from the file.

Exit codes: 0 done; 1 something could not be done, or failed again; 69 neither the running integration nor its store
can be reached; 78 the definition or its configuration is wrong.
`;

const commands: Readonly<Record<string, Command>> = { list, show, replay, discard };
const names = Object.keys(commands).join(', ');

export async function command([name = '', ...args]: readonly string[]): Promise<number> {
  const known = Object.hasOwn(commands, name) ? commands[name] : undefined;
  const helping = [name, ...args].some((one) => one === '--help' || one === '-h');
  if (!known && !helping) throw new UsageError(`${misnamed(name)}\n\n${usage.trim()}`);
  const ids = known?.ids ?? 'none';
  const max = { none: 1, one: 2, many: Number.POSITIVE_INFINITY }[ids];
  const positionals = { min: ids === 'one' ? 2 : 1, max, names: ['FILE', 'the ID of a letter, as `list` shows it,'] };
  const parsed = parse(helping ? ['--help'] : args, { text: usage, options, positionals });
  if (!parsed || !known) return exitCode.done;
  const [path = '', ...wanted] = parsed.positionals;
  const file = fileOf([path]);
  const job = known.prepare(wanted, parsed.values);
  try {
    const place = await openPlace(file, parsed.values);
    return place ? await at(place, job) : exitCode.config;
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.kind === 'bug') throw thrown;
    fail(thrown.message);
    return isUnavailable(thrown) ? exitCode.unavailable : exitCode.findings;
  }
}

async function at(place: Place, job: Job): Promise<number> {
  try {
    return await job(place);
  } catch (thrown) {
    if (!place.ending?.aborted) throw thrown;
    await place.close();
    // What was given up may hold on to the process for ever.
    process.exit(exitOf(place.ending.reason));
  } finally {
    await place.close();
  }
}

function misnamed(name: string): string {
  if (name === '') return `something is missing: ${names}`;
  if (/\.ya?ml$/.test(name)) return `say what to do with the dead letters of ${name}: ${names}`;
  const close = nearest(name, Object.keys(commands));
  return `dead-letters has no ${name}; ${close ? `did you mean ${close}?` : `it has ${names}`}`;
}
