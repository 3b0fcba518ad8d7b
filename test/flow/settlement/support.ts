import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { failure } from '../../../src/errors.ts';
import { type Engine, type EngineOptions, startEngine } from '../../support/engine.ts';
import { MemoryBroker, type MemoryOptions, memoryConnector } from '../../support/memory-broker.ts';

export interface Bench {
  readonly engine: Engine;
  readonly broker: MemoryBroker;
  /** Puts a message into the queue of the flow. */
  publish(body: unknown, more?: Partial<Parameters<MemoryBroker['publish']>[1]>): number;
  /** Bodies of the calls of endpoint `a` so far. */
  bodies(): readonly unknown[];
  lines(level: string): readonly string[];
}

export const flowOf = (steps: string, settings = '', endpoints = ''): string =>
  [
    'dowel: 1',
    'name: tried',
    'version: 1.2.3',
    'endpoints:',
    '  a: { test: {} }',
    '  parked: { memory: { queue: parked } }',
    ...endpoints.split('\n').filter(Boolean),
    'flows:',
    '  main:',
    '    from: { memory: { queue: work } }',
    ...settings
      .split('\n')
      .filter(Boolean)
      .map((line) => `    ${line}`),
    '    steps:',
    ...steps
      .split('\n')
      .filter(Boolean)
      .map((line) => `      ${line}`),
  ].join('\n');

/** Starts another version in the place of the one that runs. */
export async function reload(t: TestContext, engine: Engine, yaml: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-reload-'));
  t.after(() => rmSync(folder, { recursive: true }));
  await engine.start(folder, yaml, {});
}

/** An engine with a broker in memory; both live on the same standing clock. */
export async function startBench(
  t: TestContext,
  yaml: string,
  options: EngineOptions & MemoryOptions & { readonly broker?: MemoryBroker } = {},
): Promise<Bench> {
  let broker = options.broker;
  const engine = await startEngine(t, yaml, {
    ...options,
    connectors: (clock) => {
      broker ??= new MemoryBroker(clock);
      return { memory: memoryConnector(broker, options) };
    },
  });
  if (!broker) throw new Error('the engine made no connectors');
  const mine = broker;
  return {
    engine,
    broker: mine,
    publish: (body, more = {}) =>
      mine.publish('work', { bytes: JSON.stringify(body), contentType: 'application/json', ...more }),
    bodies: () => engine.calls.map((call) => call.body),
    lines: (level) => engine.log.lines.filter((line) => line.level === level).map(({ message }) => message),
  };
}

export const call = '- call: { endpoint: a, test: { path: put-it } }';

export const down = (): never => {
  throw failure('connection', { endpoint: 'a', detail: 'refused', sent: false });
};
