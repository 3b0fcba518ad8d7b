/**
 * A durable flow in real time, with an SQLite store, that ends its process at a write of its journal. The outside world is
 * a file: each effect is a line of it.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Body, type Connector } from '#sdk';
import { systemClock } from '../../src/core/clock.ts';
import { noHeaders } from '../../src/core/exchange.ts';
import { systemRandom } from '../../src/core/random.ts';
import { failure } from '../../src/errors.ts';
import { compile } from '../../src/flow/compile.ts';
import { Runtime } from '../../src/flow/runtime.ts';
import { codec } from '../../src/format/codec.ts';
import { loadIntegration } from '../../src/integration/load.ts';
import { compileJsonSchema } from '../../src/schema/validator.ts';
import { steps } from '../../src/steps/index.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { definitions } from './definitions.ts';
import { type Death, DyingStore } from './dying-store.ts';
import { eventually } from './eventually.ts';
import { recordingLog } from './plain-context.ts';

export interface DurableRun {
  readonly folder: string;
  /** The integration. */
  readonly file: string;
  /** The write at which the process is killed; absent: it lives. */
  readonly death?: Death;
  /**
   * A message to a flow that keeps it, nothing but what was left behind, or numbers: messages that a source sends with a
   * key, one after the other; each that is acknowledged is a line, too.
   */
  readonly what: 'send' | 'resume' | readonly number[];
}

/** Ends when everything is done that there was to do. */
export async function runDurable({ folder, file, death, what }: DurableRun): Promise<void> {
  const outside = join(folder, 'outside.txt');
  const log = recordingLog();
  let kept: Store | undefined;
  let deliver:
    | Parameters<NonNullable<Awaited<ReturnType<NonNullable<Connector['source']>>>['openSource']>>[1]['deliver']
    | undefined;

  const test: Connector = {
    definition: definitions.test,
    source: async () => ({
      openSource: async (_options, context) => {
        deliver = context.deliver;
        return { stop: async () => {}, close: async () => {} };
      },
    }),
    endpoint: async () => ({
      openEndpoint: async (_options, context) => ({
        handle: async (exchange) => {
          const path = String((exchange.operation as { readonly path?: unknown }).path);
          if (path.startsWith('no-')) throw failure('validation', { detail: path });
          appendFileSync(outside, `${path}\n`);
          const response = { status: 200, headers: noHeaders, endpoint: context.name };
          return exchange.with({ body: Body.value({ id: path }), headers: noHeaders, ownHeaders: noHeaders, response });
        },
        close: async () => {},
      }),
    }),
  };

  const connectors = { test };
  const known = { test: definitions.test };
  const loaded = await loadIntegration(resolve(file), { steps, connectors: known }, { env: {}, config: 'required' });
  if (!loaded.source) throw new Error(readFileSync(file, 'utf8'));
  const program = compile(loaded.source, { steps, connectors: known, jsonSchema: compileJsonSchema, report: () => {} });
  const runtime = new Runtime(
    {
      clock: systemClock,
      random: systemRandom,
      codec,
      log,
      openStore: async ({ name }) => {
        const world = { clock: systemClock, log, integration: name, folder, onFatal: () => process.exit(70) };
        kept = await openStore(undefined, world);
        const die = (): void => void process.kill(process.pid, 'SIGKILL');
        return new DyingStore(kept, death ?? { at: 0, when: 'before' }, die);
      },
    },
    connectors,
  );
  await runtime.start(program);
  if (what === 'send') {
    const message = { body: Body.value({}), headers: noHeaders, origin: { receivedAt: Date.now(), attempt: 1 } };
    await deliver?.(message).catch(() => undefined);
  }
  if (typeof what === 'object') {
    for (const n of what) {
      const body = Body.value({ n });
      await deliver?.({ body, headers: noHeaders, key: `m${n}`, origin: { receivedAt: Date.now(), attempt: 1 } });
      appendFileSync(outside, `acknowledged ${n}\n`);
    }
    const groups = { prefix: 'main/aggregate/1 complete ', limit: 1 };
    await eventually('no group waits', async () => (await kept?.list('aggregate', groups))?.entries.length === 0);
  }
  // What was left behind goes on in the background; a stop waits for it.
  await runtime.stop(10_000);
  await kept?.close();
}
