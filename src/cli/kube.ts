import { renderText } from '../integration/render.ts';
import { writeYaml } from '../integration/write-yaml.ts';
import { manifestsOf } from '../kubernetes/manifests.ts';
import { readDeployable } from './deployable.ts';
import { exitCode } from './exit-codes.ts';
import { colorful, fail, print, say } from './output.ts';
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
  if (/\s|^$/.test(image)) throw new UsageError(`--image takes the name of an image, not ${JSON.stringify(image)}`);
  const replicas = count(parsed.values.replicas);
  const file = fileOf(parsed.positionals);

  const read = await readDeployable(file, process.env, { image, namespace, replicas });
  const errors = read.diagnostics.filter((one) => one.severity === 'error');
  if (errors.length > 0) say(renderText(errors, file, { color: colorful(process.stderr) }));
  for (const problem of read.problems) fail(problem);
  if (!read.deployable) return exitCode.findings;

  const { manifests, notes, problems } = manifestsOf(read.deployable);
  for (const problem of problems) fail(problem);
  if (problems.length > 0) return exitCode.findings;
  for (const note of notes) say(`# ${note}`);
  print(writeYaml(manifests));
  return exitCode.done;
}

function count(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`--replicas takes a number from 1 to 9999, not ${text}`);
  return Number(text);
}
