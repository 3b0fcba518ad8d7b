import { fileURLToPath } from 'node:url';
import { Child } from '../child.ts';
import { quantile } from '../measure.ts';
import { jsonOrder } from '../payload.ts';

/** A broker, and how messages get into it and out of it: one adapter, one file. */
export interface Messaging {
  /**
   * As on the command line; the integration is `integrations/<name>.yaml` (BROKER_URL, IN, OUT), the program by hand
   * `by-hand/<name>.ts URL IN OUT`, which says when it reads.
   */
  readonly name: string;
  readonly title: string;
  /** It cannot be had everywhere: where it is not, its test is skipped, on CI too. */
  readonly optional?: true;
  /** Why it cannot be measured here, and what to do about it; `undefined` when it can. */
  missing(): string | undefined;
  open(): Promise<OpenMessaging>;
}

export interface OpenMessaging extends AsyncDisposable {
  readonly url: string;
  /** Makes the place where a program reads (`<who>.in`), if it must be there before the program is. */
  prepare(who: string): Promise<void>;
  /** Resolves when the broker has so many messages for the program. */
  fill(who: string, count: number, body: string): Promise<void>;
  /** Resolves with the last of them when so many have come out of it (`<who>.out`), counted from the call on. */
  drained(who: string, count: number): Promise<string>;
}

/** What a program showed. */
export interface MessagingFigures {
  readonly perSecond: number;
  /** Microseconds of processor time for a message. */
  readonly cpu: number;
}

export interface MessagingRow {
  readonly title: string;
  readonly bytes: number;
  readonly dowel: MessagingFigures;
  readonly byHand: MessagingFigures;
}

export interface MessagingPlan {
  readonly bytes: number;
  /** How many messages wait for a program when it has its turn. */
  readonly messages: number;
  readonly slices: number;
  readonly warmUp: number;
}

const launcher = new URL('../../bin/dowel.js', import.meta.url);

const places = (who: string) => ({ IN: `${who}.in`, OUT: `${who}.out` });

const dowel = async ({ name }: Messaging, url: string): Promise<Child> => {
  const file = fileURLToPath(new URL(`../integrations/${name}.yaml`, import.meta.url));
  const child = new Child(launcher, {
    args: ['run', file],
    measured: true,
    env: { BROKER_URL: url, ...places('dowel') },
  });
  await child.until('ready', (output) => (output.includes('"message":"ready"') ? true : undefined));
  return child;
};

const byHand = async ({ name }: Messaging, url: string): Promise<Child> => {
  const { IN, OUT } = places('by-hand');
  const program = new URL(`../by-hand/${name}.ts`, import.meta.url);
  const child = new Child(program, { args: [url, IN, OUT], measured: true });
  await child.ask();
  return child;
};

const programs = { dowel, 'by-hand': byHand } as const;

const asText = (message: string): string => JSON.stringify(JSON.parse(message));

/** Messages wait at the broker while the program stands still: then its own pace is measured, and nobody else's. */
async function slice(who: string, child: Child, broker: OpenMessaging, count: number, body: string) {
  const drained = broker.drained(who, count);
  const { cpu: before } = await child.usage();
  child.pause();
  await broker.fill(who, count, body);
  const begun = performance.now();
  child.resume();
  const last = await drained;
  const ms = performance.now() - begun;
  const { cpu } = await child.usage();
  return { last, figures: { perSecond: (count / ms) * 1000, cpu: (cpu - before) / count } };
}

const summary = (slices: readonly MessagingFigures[]): MessagingFigures => ({
  perSecond: quantile(
    slices.map(({ perSecond }) => perSecond),
    0.5,
  ),
  cpu: quantile(
    slices.map(({ cpu }) => cpu),
    0.25,
  ),
});

/** Topic → mapping → topic (or queues), confirmed on both sides; the two programs take turns. */
export async function measureMessaging(messaging: Messaging, plan: MessagingPlan): Promise<MessagingRow> {
  await using broker = await messaging.open();
  const running = new Map<string, Child>();
  try {
    for (const [who, start] of Object.entries(programs)) {
      await broker.prepare(who);
      running.set(who, await start(messaging, broker.url));
    }
    const body = JSON.stringify(jsonOrder(plan.bytes));
    const outputs = new Set<string>();
    const figures: Record<string, MessagingFigures[]> = { dowel: [], 'by-hand': [] };
    for (let round = -plan.warmUp; round < plan.slices; round++) {
      for (const [who, child] of running) {
        const { last, figures: one } = await slice(who, child, broker, plan.messages, body);
        outputs.add(asText(last));
        if (round >= 0) figures[who]?.push(one);
      }
    }
    if (outputs.size !== 1) throw new Error(`they do not do the same: ${[...outputs].join(' and ')}`);
    const of = (who: string): MessagingFigures => summary(figures[who] ?? []);
    return { title: messaging.title, bytes: plan.bytes, dowel: of('dowel'), byHand: of('by-hand') };
  } finally {
    await Promise.all([...running.values()].map((child) => child.stop()));
  }
}
