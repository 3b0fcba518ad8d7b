import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { type Instruction, parseDockerfile, type Stage } from './dockerfile.ts';
import { ignoring } from './dockerignore.ts';

/** How a container of the last stage is started, its paths mapped into a folder. */
export interface Image {
  /** What the container sees as `/`. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** `undefined` where we are not root: then all runs as ourselves. */
  readonly user: number | undefined;
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

export interface Build {
  readonly dockerfile: string;
  readonly dockerignore: string;
  readonly context: string;
  /** An empty folder. Every stage is built in the same place, as paths in an image are the same in all its stages. */
  readonly folder: string;
  /** What the base image has: its `node` and `npm`. */
  readonly path: string;
}

const weAreRoot = process.getuid?.() === 0;

/** Does what a Dockerfile says, without a container engine: its very commands, in a folder. */
export function build(options: Build): Image {
  const place = join(options.folder, 'root');
  const stages = parseDockerfile(options.dockerfile);
  let image: Image | undefined;
  for (const [index, stage] of stages.entries()) {
    const previous = stages[index - 1];
    if (previous) renameSync(place, join(options.folder, previous.name ?? String(index - 1)));
    mkdirSync(join(place, 'tmp'), { recursive: true });
    image = buildStage(stage, place, options);
  }
  if (!image) throw new Error('the Dockerfile has no stage');
  return image;
}

function buildStage(stage: Stage, root: string, options: Build): Image {
  const env: Record<string, string> = { PATH: options.path };
  let cwd = '/';
  let user: number | undefined;
  let entry: readonly string[] = [];
  let command: readonly string[] = [];
  let healthcheck: readonly string[] = [];
  for (const one of stage.instructions) {
    switch (one.name) {
      case 'WORKDIR':
        cwd = isAbsolute(one.text) ? one.text : join(cwd, one.text);
        mkdirSync(join(root, cwd), { recursive: true });
        break;
      case 'ENV':
        for (const [, name = '', value = ''] of one.text.matchAll(/(\w+)=(\S+)/g)) env[name] = value;
        break;
      case 'USER':
        user = Number(one.text.split(':')[0]);
        break;
      case 'COPY':
        copy(one, root, cwd, options);
        break;
      case 'RUN':
        run(one, { root, cwd, env, user });
        break;
      case 'ENTRYPOINT':
        entry = one.exec ?? [];
        break;
      case 'CMD':
        command = one.exec ?? [];
        break;
      case 'HEALTHCHECK':
        healthcheck = one.exec ?? [];
        break;
      case 'LABEL':
      case 'EXPOSE':
      case 'STOPSIGNAL':
        break;
      default:
        throw new Error(`line ${one.line}: the tests do not know ${one.name}`);
    }
  }
  const mapped = (words: readonly string[]): readonly string[] =>
    words.map((word) => (isAbsolute(word) ? join(root, word) : word));
  return {
    root,
    env,
    cwd: join(root, cwd),
    user: weAreRoot ? user : undefined,
    command: mapped([...entry, ...command]),
    healthcheck: mapped(healthcheck),
  };
}

function copy(instruction: Instruction, root: string, cwd: string, { context, dockerignore, folder }: Build): void {
  const { from } = instruction.flags;
  const words = instruction.text.split(/\s+/);
  const to = words.pop() ?? '';
  const isIgnored = from === undefined ? ignoring(dockerignore) : () => false;
  const origin = from === undefined ? context : join(folder, from);
  const destination = join(root, isAbsolute(to) ? to : join(cwd, to));
  for (const word of words) {
    const source = join(origin, word);
    if (!existsSync(source)) throw new Error(`line ${instruction.line}: there is no ${word}`);
    const target = to.endsWith('/') ? join(destination, basename(word)) : destination;
    mkdirSync(dirname(target), { recursive: true });
    cpSync(source, target, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !isIgnored(relative(origin, path)),
    });
  }
}

function run(
  { line, text }: Instruction,
  { root, cwd, env, user }: { root: string; cwd: string; env: Record<string, string>; user: number | undefined },
): void {
  // Who is not root can give files to nobody but themselves.
  const command = weAreRoot ? text : text.replace(/\bchown (-R )?\d+(:\d+)?/g, `chown $1${process.getuid?.()}`);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd: join(root, cwd),
    env: { ...npmSettings(), ...env, ...(user === undefined ? {} : { HOME: join(root, 'tmp') }) },
    encoding: 'utf8',
    ...(weAreRoot && user !== undefined ? { uid: user, gid: user } : {}),
  });
  if (status !== 0) throw new Error(`line ${line}: ${command} ended with ${status}\n${stdout}\n${stderr}`);
}

/** Which registry, and what was fetched before: as whoever installed us had it. */
function npmSettings(): NodeJS.ProcessEnv {
  const wanted = /^(home|npm_config_(registry|cache|userconfig)|node_extra_ca_certs|(https?|no)_proxy)$/i;
  const given = Object.entries(process.env).filter(([name]) => wanted.test(name));
  return { ...Object.fromEntries(given), npm_config_prefer_offline: 'true' };
}

/** Makes a folder as unchangeable as the file system of a container that was started with `--read-only`. */
export function makeReadOnly(folder: string): void {
  // Files that root owns are that already for everybody else.
  if (weAreRoot) return;
  const { status } = spawnSync('chmod', ['-R', 'a-w', folder]);
  if (status !== 0) throw new Error(`chmod failed on ${folder}`);
}

/** So that it can be removed again. */
export function makeWritable(folder: string): void {
  spawnSync('chmod', ['-R', 'u+w', folder]);
}
