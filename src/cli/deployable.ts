import { basename, dirname, join, relative, resolve } from 'node:path';
import type { IntegrationSource } from '../core/written.ts';
import type { Diagnostic } from '../integration/diagnostic.ts';
import { parseYaml } from '../integration/yaml.ts';
import { type Deployable, folder } from '../kubernetes/deployable.ts';
import { namingOf } from '../kubernetes/manifest.ts';
import { type Prepared, prepare } from './prepare.ts';
import { surroundings } from './process.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface Asked {
  readonly image: string;
  readonly namespace?: string | undefined;
  readonly replicas?: number | undefined;
}

export interface ReadDeployable {
  /** `undefined` when there are errors, or problems. */
  readonly deployable?: Deployable;
  readonly diagnostics: readonly Diagnostic[];
  readonly problems: readonly string[];
}

/** Reads an integration twice: as it stands here, and as it will stand in the container. */
export async function readDeployable(file: string, env: Env, asked: Asked): Promise<ReadDeployable> {
  const { drainTimeout } = surroundings(env);
  const here = await prepare(file, { env, config: 'optional' });
  const { diagnostics } = here;
  const root = parseYaml(here.source?.texts.get(resolve(file)) ?? '').root;
  if (!here.program || !here.source || !root) return { diagnostics, problems: [] };
  const problems = [...here.source.texts.keys()]
    .map((path) => relative(dirname(resolve(file)), path))
    .filter((path) => path === '..' || path.startsWith('../'))
    .map((path) => `${path} lies outside of the folder of ${file}: move it into that folder`);
  problems.push(...openSecrets(file, diagnostics));
  if (problems.length > 0) return { diagnostics, problems };
  const { program, source, diagnostics: found } = await prepareThere(file, here.source, env);
  if (!program || !source) return { diagnostics: found, problems };
  const naming = namingOf(source, asked.namespace);
  const { image, replicas } = asked;
  const deployable = { source, program, root, naming, image, replicas, drainTimeout, processEnv: processEnv(env) };
  return { deployable, diagnostics, problems };
}

/** `validate` warns about them; here they would go where everybody in the cluster may read them. */
const openSecrets = (file: string, diagnostics: readonly Diagnostic[]): readonly string[] =>
  diagnostics
    .filter(({ code }) => code === 'open-secret')
    .map(
      ({ line, column, message }) =>
        `${file}:${line}:${column}: ${message}. The definition goes into a ConfigMap, which is no secret`,
    );

/** As it will be read in the container; the secrets of this machine stay here. */
function prepareThere(file: string, source: IntegrationSource, env: Env): Promise<Prepared> {
  const home = dirname(resolve(file));
  const texts = new Map([...source.texts].map(([path, text]) => [join(folder, relative(home, path)), text]));
  const hidden = new Set(source.secretNames.flatMap((name) => [name, `${name}_FILE`]));
  const open = Object.fromEntries(Object.entries(env).filter(([name]) => !hidden.has(name)));
  return prepare(join(folder, basename(file)), { env: open, config: 'optional', texts });
}

/** What is set here about the process is meant for the pods; headers and addresses with credentials are no such thing. */
const processEnv = (env: Env): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [
      'LOG_LEVEL',
      'LOG_CALLS',
      'DOWEL_DRAIN_TIMEOUT',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      'OTEL_EXPORTER_OTLP_PROTOCOL',
      'OTEL_RESOURCE_ATTRIBUTES',
      'OTEL_TRACES_SAMPLER',
      'OTEL_TRACES_SAMPLER_ARG',
    ].flatMap((name) => {
      const value = env[name];
      return value && !/:\/\/[^/]*@/.test(value) ? [[name, value] as const] : [];
    }),
  );
