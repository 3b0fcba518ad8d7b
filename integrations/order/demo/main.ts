import { parseArgs } from 'node:util';
import { onSignals } from '../../../src/cli/process.ts';
import { acts, checkAudit, perform } from './acts.ts';
import { say, sayAct, sayFinding, sayNext, sayParts, sayVerdict } from './print.ts';
import { Scene } from './scene.ts';

const usage = `
npm start                 starts the order scenario, tries it out, and stays up until Ctrl-C
npm start -- --once       ends after the trial: exit code 0 if all answers were right, else 1

PORT                      where orders are taken (8080, or a free port when that is taken)
INVENTORY_URL             an inventory that runs elsewhere, instead of the one of the scenario
SHIPPING_URL              the same for shipping
`;

/** The main job, for people who see it for the first time. */
export async function main(args: readonly string[]): Promise<void> {
  const options = read(args);
  if (options === undefined) return;
  const stopped = new Promise<void>((resolve) => onSignals(() => resolve()));
  let scene: Scene;
  try {
    scene = await Scene.open(process.env);
  } catch (error) {
    process.stderr.write(`npm start: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
    return;
  }
  try {
    const wrong = await Promise.race([tryOut(scene), stopped]);
    process.exitCode = wrong === 0 ? 0 : 1;
    if (wrong === undefined || options.once) return;
    sayNext(scene);
    const died = await Promise.race([stopped, scene.died]);
    if (died === undefined) return;
    process.stderr.write(`npm start: ${died} has ended; its log is in ${scene.folder}/${died}.log\n`);
    process.exitCode = 1;
  } finally {
    await scene.close();
  }
}

/** Plays every act; resolves with the number of those that went wrong. */
async function tryOut(scene: Scene): Promise<number> {
  sayParts(scene);
  let wrong = 0;
  for (const act of acts) {
    const performance = await perform(act, scene);
    sayAct(act, performance);
    if (!performance.findings.every((one) => one.right)) wrong++;
  }
  const audit = await checkAudit(scene);
  sayFinding(audit);
  say();
  sayVerdict(wrong);
  return audit.right ? wrong : Math.max(1, wrong);
}

function read(args: readonly string[]): { readonly once: boolean } | undefined {
  try {
    const options = { once: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    if (!values.help) return { once: values.once };
    say(usage.trim());
  } catch (error) {
    process.stderr.write(`npm start: ${error instanceof Error ? error.message : error}\n${usage}`);
    process.exitCode = 2;
  }
  return undefined;
}
