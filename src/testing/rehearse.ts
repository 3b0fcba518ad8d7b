/** Runs one test: opens the integration without its outside, sends, lets virtual time pass, and tells what happened. */

import { seededRandom } from '../core/random.ts';
import type { Failure } from '../errors.ts';
import type { Program } from '../flow/program.ts';
import { Runtime } from '../flow/runtime.ts';
import { codec } from '../format/codec.ts';
import type { Answered, Connector } from '../sdk.ts';
import { MemoryStore } from '../store/memory.ts';
import { DrivenClock } from './clock.ts';
import { type Bounds, Driver, Endless } from './driver.ts';
import { outside } from './outside.ts';
import type { TestPlan } from './plan.ts';
import { newRecording, type Recording, recordingLog } from './recording.ts';

/** What the sender of a message got. */
export interface ReplySeen {
  readonly status: number | undefined;
  readonly headers: Answered['headers'];
  readonly body: unknown;
  readonly error: Failure | undefined;
}

export interface LetterSeen {
  readonly type: string;
  readonly flow: string;
  readonly code: string;
  readonly kind: string;
  readonly place: string | undefined;
  readonly attempts: number;
  readonly body: unknown;
}

export interface Rehearsed {
  readonly recording: Recording;
  /** By message; `undefined`: none came. */
  readonly replies: readonly (ReplySeen | undefined)[];
  /** Oldest first; absent where nobody asks for them. */
  readonly deadLetters: readonly LetterSeen[];
  readonly breakers: Readonly<Record<string, string | undefined>>;
  /** Virtual milliseconds, from the first message to the last answer. */
  readonly elapsed: number;
  /** Why it did not come to its end. */
  readonly endless: string | undefined;
}

export interface RehearseTools {
  readonly connectors: Readonly<Record<string, Connector>>;
  /** Of this test alone: steps keep what they know of messages. */
  readonly program: Program;
  readonly bounds?: Bounds;
}

const lettersShown = 1000;

export async function rehearse(plan: TestPlan, { connectors, program, bounds }: RehearseTools): Promise<Rehearsed> {
  const clock = new DrivenClock(plan.now);
  const driver = new Driver(clock, bounds);
  const recording = newRecording();
  const debugging = plan.expect.logs?.some((line) => line.level === 'debug') ?? false;
  const log = recordingLog(recording, debugging);
  const far = outside(connectors, { recording, pointer: plan.pointer, answers: plan.answers });
  const openStore = async (): Promise<MemoryStore> => new MemoryStore(clock, log);
  const runtime = new Runtime({ clock, random: seededRandom(plan.seed), codec, log, openStore }, far.connectors);
  const replies: (ReplySeen | undefined)[] = [];
  const waiting = new Set<string>();
  let endless: string | undefined;
  let elapsed = 0;

  const send = async (message: Parameters<typeof far.send>[0], index: number): Promise<void> => {
    replies[index] = undefined;
    waiting.add(message.pointer);
    const { status, headers, body, error } = await far.send(message);
    replies[index] = { status, headers, body: await readable(body), error };
    waiting.delete(message.pointer);
  };

  const play = async (): Promise<void> => {
    const start = clock.monotonic();
    let failed: { readonly thrown: unknown } | undefined;
    let index = 0;
    for (const one of plan.sends) {
      if (!one.parallel) await driver.until(() => waiting.size === 0 || failed !== undefined);
      if (one.advance > 0) await driver.pass(one.advance);
      const { flow } = one;
      if (flow === undefined) continue;
      send({ ...one, flow }, index++).catch((thrown: unknown) => {
        failed ??= { thrown };
      });
    }
    await driver.until(() => waiting.size === 0 || failed !== undefined);
    if (failed) throw failed.thrown;
    elapsed = clock.monotonic() - start;
    // What goes on beside the answers: taps, channels, messages that wait to be tried again.
    await driver.until(() => runtime.idle && !clock.waits);
  };

  try {
    await driver.settled(runtime.start(program));
    await play();
  } catch (thrown) {
    if (!(thrown instanceof Endless)) throw thrown;
    endless = `The test does not end: ${thrown.message}${waitsFor(waiting.size, recording)}`;
  }
  const breakers = Object.fromEntries(
    Object.keys(plan.expect.breaker ?? {}).map((name) => [name, runtime.breakerOf(name)?.state]),
  );
  const deadLetters = endless === undefined && plan.expect.deadLetters ? await driver.settled(lettersOf(runtime)) : [];
  await driver.settled(runtime.stop(0)).catch(() => {});
  return { recording, replies, deadLetters, breakers, elapsed, endless };
}

function waitsFor(unanswered: number, { calls }: Recording): string {
  const open = calls.filter((call) => call.outcome === '').map((call) => `\`${call.endpoint}\``);
  const parts = [
    ...(unanswered > 0 ? [`${unanswered} of its messages ${unanswered === 1 ? 'has' : 'have'} no answer yet`] : []),
    ...(open.length > 0 ? [`no answer came from ${[...new Set(open)].join(', ')}`] : []),
  ];
  return parts.length === 0 ? '' : `; ${parts.join(', and ')}`;
}

/** What cannot be read as a value is shown as text. */
async function readable(body: Answered['body']): Promise<unknown> {
  try {
    return await body.value(codec);
  } catch {
    const bytes = await body.bytes(codec);
    return typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString();
  }
}

async function lettersOf(runtime: Runtime): Promise<readonly LetterSeen[]> {
  const desk = await runtime.deadLetters();
  const { letters } = await desk.list({ order: 'oldest', limit: lettersShown });
  return Promise.all(
    letters.map(async ({ id, type, flow, code, kind, place, attempts, contentType }) => {
      const bytes = await desk.body(id);
      const read = (): unknown => {
        try {
          return codec.read(bytes, contentType);
        } catch {
          return Buffer.from(bytes).toString();
        }
      };
      return { type, flow, code, kind, place, attempts, body: bytes.length === 0 ? undefined : read() };
    }),
  );
}
