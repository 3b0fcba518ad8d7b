import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Instruction, lastOf, parseDockerfile, type Stage } from './dockerfile.ts';
import { ignoring } from './dockerignore.ts';

/** What is wrong with a Dockerfile whose build context is `context`: one sentence each. */
export function lint(dockerfile: string, dockerignore: string, context: string): readonly string[] {
  const stages = parseDockerfile(dockerfile);
  const last = stages.at(-1);
  if (!last) return ['there is no FROM'];
  return [
    ...stages.flatMap((stage) => [
      ...imageFindings(stage, context),
      ...copyFindings(stage, stages, dockerignore, context),
    ]),
    ...stages.flatMap((stage) => secretFindings(stage)),
    ...lastStageFindings(last),
  ];
}

function imageFindings({ image }: Stage, context: string): readonly string[] {
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  if (tag === undefined || tag.startsWith('latest')) return [`${image} is not a fixed version`];
  const { devDependencies } = JSON.parse(readFileSync(join(context, 'package.json'), 'utf8')) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const tested = devDependencies['node'];
  return tag.startsWith(`${tested}-`) ? [] : [`${image} has another Node than the tests, which run on ${tested}`];
}

function copyFindings(
  stage: Stage,
  stages: readonly Stage[],
  dockerignore: string,
  context: string,
): readonly string[] {
  const isIgnored = ignoring(dockerignore);
  return stage.instructions.flatMap((one) => {
    if (one.name === 'ADD') return [`line ${one.line}: ADD fetches and unpacks; write COPY`];
    if (one.name !== 'COPY') return [];
    const { from } = one.flags;
    if (from !== undefined) {
      return stages.some((other) => other.name === from) ? [] : [`line ${one.line}: there is no stage ${from}`];
    }
    return one.text
      .split(/\s+/)
      .slice(0, -1)
      .flatMap((source) => {
        if (!existsSync(join(context, source))) return [`line ${one.line}: there is no ${source}`];
        return isIgnored(source) ? [`line ${one.line}: ${source} is kept out by .dockerignore`] : [];
      });
  });
}

const secretFindings = (stage: Stage): readonly string[] =>
  stage.instructions
    .filter((one) => /^(ENV|ARG)$/.test(one.name) && /KEY|TOKEN|SECRET|PASSWORD/i.test(one.text))
    .map((one) => `line ${one.line}: a secret would stay in the image`);

function lastStageFindings(stage: Stage): readonly string[] {
  const findings: string[] = [];
  const need = (holds: boolean, finding: string): void => {
    if (!holds) findings.push(finding);
  };
  const user = lastOf(stage, 'USER')?.text ?? '';
  // A name could be any number: Kubernetes cannot tell that it is not root (runAsNonRoot).
  need(/^[1-9]\d*(:[1-9]\d*)?$/.test(user), `USER must be a number other than 0, not ${user || 'missing'}`);
  const ran = stage.instructions.find((one) => one.name === 'RUN');
  need(ran === undefined, `line ${ran?.line}: the last stage only copies`);
  for (const name of ['ENTRYPOINT', 'CMD', 'HEALTHCHECK']) {
    const one = lastOf(stage, name);
    need(one?.exec !== undefined, `${name} must be there, in the exec form: no shell between Node and the signals`);
  }
  const entry = words(lastOf(stage, 'ENTRYPOINT'));
  need(entry[0] === 'node', 'the first process must be node itself: npm and shells do not pass signals on');
  const started = [...entry, ...words(lastOf(stage, 'CMD'))];
  need(
    started.slice(-2).join(' ') === 'run /integration/integration.yaml',
    'it must run /integration/integration.yaml',
  );
  need(words(lastOf(stage, 'HEALTHCHECK')).at(-1) === 'healthcheck', 'HEALTHCHECK must ask dowel healthcheck');
  need(lastOf(stage, 'STOPSIGNAL')?.text === 'SIGTERM', 'STOPSIGNAL must be SIGTERM');
  return findings;
}

const words = (instruction: Instruction | undefined): readonly string[] => instruction?.exec ?? [];
