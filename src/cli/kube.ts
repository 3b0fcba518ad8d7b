import { basename, dirname, join, relative, resolve } from 'node:path';
import type { IntegrationSource } from '../core/written.ts';
import { renderText } from '../integration/render.ts';
import { writeYaml } from '../integration/write-yaml.ts';
import { parseYaml } from '../integration/yaml.ts';
import { type Deployable, folder } from '../kubernetes/deployable.ts';
import { namingOf } from '../kubernetes/manifest.ts';
import { manifestsOf } from '../kubernetes/manifests.ts';
import { exitCode } from './exit-codes.ts';
import { colorful, fail, print, say } from './output.ts';
import { type Prepared, prepare } from './prepare.ts';
import { surroundings } from './process.ts';
import { fileOf, parse, UsageError } from './usage.ts';
import { version } from './version.ts';

const usage = `
dowel kube FILE [--image IMAGE] [--namespace NS] [--replicas N]

Prints manifests for Kubernetes on stdout: dowel kube integration.yaml | kubectl apply -f -
Values of \`config\` are those of the environment, else their defaults; secrets are never printed: stderr says how to make
them, and what else there is to know.

  --image       the image that runs it (dowel:VERSION)
  --namespace   where everything goes (where kubectl is)
  --replicas    at least so many (2, or 1 where several would do harm)

Exit codes: 0 printed; 1 the file has errors, or something cannot be in a manifest: stderr says what.
`;

type Env = Readonly<Record<string, string | undefined>>;

export async function command(args: readonly string[]): Promise<number> {
  const parsed = parse(args, {
    text: usage,
    options: { image: { type: 'string' }, namespace: { type: 'string' }, replicas: { type: 'string' } },
    positionals: { min: 1, max: 1 },
  });
  if (!parsed) return exitCode.done;
  const { image = `dowel:${version()}`, namespace } = parsed.values;
  if (namespace !== undefined && !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace)) {
    throw new UsageError(`--namespace takes small letters, digits and -, not ${namespace}`);
  }
  const replicas = count(parsed.values.replicas);
  const file = fileOf(parsed.positionals);
  const { drainTimeout } = surroundings(process.env);

  const here = await prepare(file, { env: process.env, config: 'optional' });
  if (!here.program || !here.source) return refused(here, file);
  const outside = [...here.source.texts.keys()].map((path) => relative(dirname(resolve(file)), path)).filter(leaves);
  if (outside.length > 0) {
    fail(outside.map((path) => `${path} lies outside of the folder of ${file}: move it into that folder`).join('\n'));
    return exitCode.findings;
  }
  const there = await prepareThere(file, here.source);
  if (!there.program || !there.source) return refused(there, file);
  const root = parseYaml(here.source.texts.get(resolve(file)) ?? '').root;
  if (!root) return exitCode.findings;

  const deployable: Deployable = {
    source: there.source,
    program: there.program,
    root,
    naming: namingOf(there.source, namespace),
    image,
    replicas,
    drainTimeout,
    processEnv: processEnv(process.env),
  };
  const { manifests, notes, problems } = manifestsOf(deployable);
  for (const problem of problems) fail(problem);
  for (const note of notes) say(`# ${note}`);
  if (problems.length > 0) return exitCode.findings;
  print(writeYaml(manifests));
  return exitCode.done;
}

/** As it will be read in the container; the secrets of this machine stay here. */
function prepareThere(file: string, source: IntegrationSource): Promise<Prepared> {
  const home = dirname(resolve(file));
  const texts = new Map([...source.texts].map(([path, text]) => [join(folder, relative(home, path)), text]));
  const hidden = new Set(source.secretNames.flatMap((name) => [name, `${name}_FILE`]));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !hidden.has(name)));
  return prepare(join(folder, basename(file)), { env, config: 'optional', texts });
}

function refused({ diagnostics }: Prepared, file: string): number {
  const errors = diagnostics.filter((one) => one.severity === 'error');
  say(renderText(errors, file, { color: colorful(process.stderr) }));
  return exitCode.findings;
}

const leaves = (path: string): boolean => path === '..' || path.startsWith('../');

/** What is set here about the process is meant for the pods. */
const processEnv = (env: Env): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ['LOG_LEVEL', 'DOWEL_DRAIN_TIMEOUT'].flatMap((name) => (env[name] ? [[name, env[name]] as const] : [])),
  );

function count(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`--replicas takes a number from 1 to 9999, not ${text}`);
  return Number(text);
}
