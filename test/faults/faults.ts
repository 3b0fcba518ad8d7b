import type { DowelProcess } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import type { Waiting } from './subject.ts';

/** What a fault is done to. */
export interface Scene {
  readonly waiting: Waiting;
  /** The integration that takes the messages, as it runs now. */
  readonly taker: () => DowelProcess;
  /** Starts it again after it has ended. */
  readonly again: () => Promise<void>;
  /** Its file is written anew, with another version. */
  readonly edit: () => Promise<void>;
  /** Asks its admin server: the body of the answer. */
  readonly admin: (method: 'GET' | 'POST', path: string) => Promise<Readonly<Record<string, unknown>>>;
  /** How many effects there were. */
  readonly effects: () => number;
}

export interface Fault {
  readonly name: string;
  readonly title: string;
  /** How often, for so many in the full run; a short one takes a part. */
  readonly times: number;
  /** Nothing may come twice. */
  readonly orderly?: boolean;
  /** The taker runs under `dowel dev`. */
  readonly dev?: boolean;
  /** Once. */
  strike(scene: Scene): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const faults: readonly Fault[] = [
  {
    name: 'kill',
    title: 'runtime killed (SIGKILL)',
    times: 10,
    strike: async ({ taker, again }) => {
      await taker().stop('SIGKILL');
      await again();
    },
  },
  {
    name: 'stop',
    orderly: true,
    title: 'runtime stopped (SIGTERM) and started',
    times: 10,
    strike: async ({ taker, again }) => {
      const running = taker();
      const { code } = await running.stop('SIGTERM');
      if (code !== 0) throw new Error(running.describe(`it ended with ${code} instead of 0`));
      await again();
    },
  },
  {
    name: 'reload',
    orderly: true,
    title: 'definition edited under `dowel dev`',
    times: 20,
    dev: true,
    strike: ({ edit }) => edit(),
  },
  {
    name: 'pause',
    orderly: true,
    title: 'source paused and resumed by hand',
    times: 10,
    strike: async ({ admin, effects }) => {
      const unsettled = async (): Promise<unknown> => (await admin('POST', '/flows/take/pause'))['inFlight'];
      await eventually('what is under way has ended', async () => (await unsettled()) === 0);
      const before = effects();
      await pause(500);
      if (effects() !== before) throw new Error(`${effects() - before} messages were worked on while it was paused`);
      await admin('POST', '/flows/take/resume');
    },
  },
  {
    name: 'broker',
    title: 'broker killed (SIGKILL) and started',
    times: 3,
    strike: async ({ waiting }) => {
      await waiting.restart?.();
      // As long as both sides may need to find it again.
      await pause(1000);
    },
  },
  {
    name: 'reset',
    title: 'connections cut (RST)',
    times: 10,
    strike: async ({ waiting }) => waiting.cut?.('reset'),
  },
  {
    name: 'mute',
    title: 'connections half open',
    times: 2,
    strike: async ({ waiting }) => {
      waiting.cut?.('mute');
      // Until heartbeats have found it.
      await pause(5000);
    },
  },
];
