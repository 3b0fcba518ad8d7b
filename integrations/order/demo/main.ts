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

/** What shells give a command that Ctrl-C ended. */
const interrupted = 130;

/** The main job, for people who see it for the first time. */
export async function main(args: readonly string[]): Promise<void> {
  const options = read(args);
  if (options === undefined) return;
  const stopped = new Promise<void>((resolve) => onSignals(() => resolve()));
  try {
    const scene = await Scene.open(process.env);
    try {
      process.exitCode = await show(scene, stopped, options.once);
    } finally {
      await scene.close();
    }
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** Resolves with the exit code when all is over. */
async function show(scene: Scene, stopped: Promise<void>, once: boolean): Promise<number> {
  sayParts(scene);
  const wrong = await Promise.race([tryOut(scene), stopped]);
  if (wrong === undefined) return interrupted;
  const code = wrong === 0 ? 0 : 1;
  if (once) return code;
  sayNext(scene);
  const died = await Promise.race([stopped, scene.died]);
  if (died === undefined) return code;
  complain(`${died} has ended; its last words:\n${scene.lastWords(died)}`);
  return 1;
}

/** Plays every act; resolves with the number of those that went wrong. */
async function tryOut(scene: Scene): Promise<number> {
  let wrong = 0;
  for (const act of acts) {
    const performance = await perform(act, scene);
    if (scene.closed) return wrong;
    sayAct(act, performance);
    if (!performance.findings.every((one) => one.right)) wrong++;
  }
  const audit = await checkAudit(scene);
  sayFinding(audit);
  say();
  sayVerdict(wrong, acts.length);
  return audit.right ? wrong : Math.max(1, wrong);
}

function read(args: readonly string[]): { readonly once: boolean } | undefined {
  try {
    const options = { once: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    if (!values.help) return { once: values.once };
    say(usage.trim());
  } catch (error) {
    complain(`${error instanceof Error ? error.message : error}\n${usage.trimEnd()}`);
    process.exitCode = 2;
  }
  return undefined;
}

const complain = (text: string): void => void process.stderr.write(`npm start: ${text}\n`);
