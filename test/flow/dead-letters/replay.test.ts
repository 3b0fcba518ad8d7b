import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { VirtualClock } from '../../../src/core/clock.ts';
import { failure } from '../../../src/errors.ts';
import type { DeadLetterDesk, Replay, Which } from '../../../src/flow/dead-letters/desk.ts';
import type { LetterSummary } from '../../../src/flow/dead-letters/views.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { surviving } from '../../support/dying-store.ts';
import { Engine, type EngineOptions, type Far } from '../../support/engine.ts';
import { MemoryBroker, memoryConnector } from '../../support/memory-broker.ts';
import { recordingLog } from '../../support/plain-context.ts';
import { type Bench, flowOf, startBench } from '../settlement/support.ts';
import { litter } from './support/letters.ts';

const calling = '- call: { endpoint: a, test: { path: put }, as: answer }';
const once = 'redelivery: { maxAttempts: 1 }';

async function deskOf(engine: Engine): Promise<DeadLetterDesk> {
  const { runtime } = engine;
  assert.ok(runtime);
  return runtime.deadLetters();
}

async function lettersOf(engine: Engine): Promise<readonly LetterSummary[]> {
  return (await (await deskOf(engine)).list({ limit: 100 })).letters;
}

/** Lets time pass until the replay has ended. */
async function replayed(engine: Engine, id: string, which: Which = 'current'): Promise<Replay> {
  const desk = await deskOf(engine);
  let ended = false;
  const replay = desk.replay(id, which).finally(() => {
    ended = true;
  });
  replay.catch(() => {});
  for (let i = 0; i < 100 && !ended; i++) await engine.clock.advance(10_000);
  return replay;
}

/** A flow whose endpoint fails, and the letter of one message that it gave up. */
async function dead(
  t: TestContext,
  yaml: string,
  options: Parameters<typeof startBench>[2] & { readonly message?: Parameters<Bench['publish']>[1] } = {},
): Promise<Bench & { readonly letter: LetterSummary }> {
  const bench = await startBench(t, yaml, {
    far: () => {
      throw failure('validation', { detail: 'no' });
    },
    ...options,
  });
  bench.publish({ n: 1 }, options.message);
  await bench.engine.clock.advance(1_000_000);
  const [letter] = await lettersOf(bench.engine);
  assert.ok(letter, 'there is a letter');
  return { ...bench, letter };
}

/** Works from now on. */
const mend = (engine: Engine): void => {
  engine.far = () => ({ body: { ok: true } });
};

describe('replay', () => {
  test('delivers the message as it came, as a new one that says so, and then its letter is gone', async (t) => {
    const steps = `- set: { variables: { seen: { body: '\${{ $ }}', headers: '\${{ $headers }}', source: '\${{ $source }}', attempt: '\${{ $exchange.attempt }}', replayed: '\${{ $exchange.replayed }}', id: '\${{ $exchange.id }}' } } }
- send: { endpoint: a, test: { path: put }, body: '\${{ $seen }}' }`;
    const message = { bytes: '{"n":  1.50}', headers: { 'x-tenant': 'acme' } };
    const { engine, letter } = await dead(t, flowOf(steps, once), { message });
    const first = engine.calls[0]?.body as Readonly<Record<string, unknown>>;
    mend(engine);
    assert.deepEqual(await replayed(engine, letter.id), { outcome: 'done', id: letter.id });
    const again = engine.calls[1]?.body as Readonly<Record<string, unknown>>;
    assert.deepEqual(again, { ...first, replayed: true });
    assert.deepEqual([first['attempt'], first['id']], [1, letter.exchange]);
    assert.deepEqual(await lettersOf(engine), []);
    assert.deepEqual(await litter(engine.store), []);
  });

  test('what fails again stays, with the new error and the count of all attempts', async (t) => {
    const { engine, letter } = await dead(t, flowOf(calling, 'redelivery: { maxAttempts: 3, delay: 1s }'));
    assert.equal(letter.attempts, 1, 'what is permanent is not tried again');
    engine.far = () => {
      throw failure('timeout', { endpoint: 'a', ms: 5 });
    };
    const replay = await replayed(engine, letter.id);
    assert.equal(replay.outcome, 'failed');
    assert.equal(engine.calls.length, 4, 'with all the redelivery of its flow');
    const [now, ...more] = await lettersOf(engine);
    assert.deepEqual(more, []);
    assert.ok(now);
    assert.deepEqual(replay.outcome === 'failed' && replay.letter, now);
    assert.deepEqual([now.id, now.code, now.kind, now.attempts], [letter.id, 'timeout', 'transient', 4]);
    assert.equal(now.receivedAt, letter.receivedAt);
    assert.ok(now.failedAt > letter.failedAt);
    mend(engine);
    assert.equal((await replayed(engine, letter.id)).outcome, 'done');
    assert.deepEqual(await litter(engine.store), []);
  });

  test('what its broker could keep for a while waits here: no broker has it', async (t) => {
    const settings = 'redelivery: { maxAttempts: 3, delay: 1m, factor: 1 }';
    const { engine, letter, broker } = await dead(t, flowOf(calling, settings), { postpones: true });
    let left = 2;
    engine.far = () => {
      if (left-- > 0) throw failure('timeout', { endpoint: 'a', ms: 5 });
      return {};
    };
    assert.equal((await replayed(engine, letter.id)).outcome, 'done');
    assert.equal(broker.depth('work'), 0);
    assert.deepEqual(await lettersOf(engine), []);
  });

  test('a letter in the store stays there when it fails again, wherever its flow sends letters by now', async (t) => {
    const bench = await dead(t, flowOf(calling, once));
    const { engine, letter, broker } = bench;
    const folder = folderFor(t);
    await engine.start(folder, flowOf(calling, `${once}\ndeadLetter: { endpoint: parked, memory: {} }`), {});
    assert.equal((await replayed(engine, letter.id)).outcome, 'failed');
    assert.equal(broker.depth('parked'), 0);
    assert.equal((await lettersOf(engine)).length, 1);
  });

  test('two people do not replay the same letter at once, nor discard it meanwhile', async (t) => {
    const { engine, letter } = await dead(
      t,
      flowOf(calling, once).replace('a: { test: {} }', 'a: { test: {}, timeout: 1h }'),
    );
    const gate = Promise.withResolvers<void>();
    engine.far = async () => {
      await gate.promise;
      return {};
    };
    const desk = await deskOf(engine);
    const first = desk.replay(letter.id, 'current');
    await engine.clock.advance(1);
    // As long as it takes, too.
    for (const minutes of [0, 1, 10]) {
      await engine.clock.advance(minutes * 60_000);
      await assert.rejects(desk.replay(letter.id, 'current'), { code: 'letter-in-use' });
      await assert.rejects(desk.discard(letter.id, 'why'), { code: 'letter-in-use' });
    }
    gate.resolve();
    assert.equal((await first).outcome, 'done');
    assert.equal(engine.calls.length, 2);
    await assert.rejects(desk.replay(letter.id, 'current'), { code: 'no-letter' });
  });

  test('after a crash in the middle the letter is there, and free again in a minute', async (t) => {
    const { engine, letter } = await dead(t, flowOf(calling, once));
    // The process that replayed it is gone: its lease is what is left.
    const written = await engine.store.write([
      { op: 'put', space: 'lease', key: `dead-letter ${letter.id}`, value: new Uint8Array(), ttl: 60_000 },
    ]);
    assert.ok(written.written);
    mend(engine);
    await assert.rejects(replayed(engine, letter.id), { code: 'letter-in-use' });
    await engine.clock.advance(60_001);
    assert.equal((await replayed(engine, letter.id)).outcome, 'done');
  });

  test('when the process stops meanwhile, the letter stays as it was', async (t) => {
    const store = new MemoryStore(new VirtualClock(), recordingLog());
    const yaml = flowOf(calling, 'redelivery: { maxAttempts: 5, delay: 1h, factor: 1 }');
    const { engine, letter } = await dead(t, yaml, { store: surviving(store) });
    engine.far = () => {
      throw failure('timeout', { endpoint: 'a', ms: 5 });
    };
    const replay = (await deskOf(engine)).replay(letter.id, 'current');
    replay.catch(() => {});
    await engine.clock.advance(1);
    const before = await store.get('dead-letters-by-id', letter.id);
    assert.ok(before);
    await engine.stop();
    await assert.rejects(replay, { code: 'stopping' });
    assert.deepEqual(await store.get('dead-letters-by-id', letter.id), before);
    assert.deepEqual((await store.list('lease', { limit: 1 })).entries, [], 'and it is free');
  });

  test('a flow that is gone, and one that has no source any more, are said to be so', async (t) => {
    const { engine, letter } = await dead(t, flowOf(calling, once));
    await engine.start(folderFor(t), flowOf(calling, once).replace('  main:', '  other:'), {});
    await assert.rejects(replayed(engine, letter.id), {
      code: 'not-replayable',
      message: /no flow main .*--with original/,
    });
    assert.equal((await lettersOf(engine)).length, 1);
  });

  test('a flow whose source awaits answers by now takes it too, and gives it back when it fails', async (t) => {
    const { engine, letter } = await dead(t, flowOf(calling, once));
    const awaiting = flowOf(calling).replace('{ memory: { queue: work } }', '{ test: {} }');
    await engine.start(folderFor(t), awaiting, {});
    const replay = await replayed(engine, letter.id);
    assert.equal(replay.outcome, 'failed');
    assert.deepEqual(
      (await lettersOf(engine)).map(({ code, attempts }) => [code, attempts]),
      [['validation', 2]],
    );
    mend(engine);
    assert.equal((await replayed(engine, letter.id)).outcome, 'done');
    assert.deepEqual(await lettersOf(engine), []);
  });

  test('a compensation that could not be done is a matter for a person: it is not replayed, only discarded', async (t) => {
    const saga = `
- saga:
    steps:
      - call: { endpoint: a, test: { path: put }, compensate: [ { call: { endpoint: a, test: { path: undo } } } ] }
      - fail: { code: no, kind: permanent }`;
    const far: Far = (call) => {
      if (call.operation['path'] === 'undo') throw failure('validation', { detail: 'cannot' });
      return {};
    };
    const { engine } = await dead(t, flowOf(saga, once), { far });
    const letters = await lettersOf(engine);
    assert.deepEqual(letters.map(({ type }) => type).toSorted(), ['message', 'undo']);
    const undo = letters.find(({ type }) => type === 'undo');
    assert.ok(undo);
    const calls = engine.calls.length;
    await assert.rejects(replayed(engine, undo.id), { code: 'not-replayable', message: /Undo by hand/ });
    assert.equal(engine.calls.length, calls);
    const desk = await deskOf(engine);
    await desk.discard(undo.id, 'undone by hand');
    assert.deepEqual(
      (await lettersOf(engine)).map(({ type }) => type),
      ['message'],
    );
    const line = engine.log.lines.findLast(({ message }) => message === 'a dead letter was discarded');
    assert.deepEqual(
      [line?.level, line?.fields['letter'], line?.fields['reason']],
      ['warn', undo.id, 'undone by hand'],
    );
  });

  test('the answer of a flow that has one goes nowhere', async (t) => {
    const { engine, letter } = await dead(t, flowOf(calling, once));
    await engine.start(
      folderFor(t),
      flowOf('- respond: { status: 201 }').replace('{ memory: { queue: work } }', '{ test: {} }'),
      {},
    );
    assert.equal((await replayed(engine, letter.id)).outcome, 'done');
  });
});

describe('the original definition', () => {
  const file = (path: string, version: string): string =>
    flowOf(`- validate: { schema: ./order.json }\n- call: { endpoint: a, test: { path: ${path} } }`, once).replace(
      'version: 1.2.3',
      `version: '${version}'`,
    );
  const needs = (name: string): string => JSON.stringify({ type: 'object', required: [name] });

  test('is compiled from the texts of then, beside what runs now', async (t) => {
    const { engine, letter } = await dead(t, file('put-old', '1'), { files: { 'order.json': needs('n') } });
    await engine.start(folderFor(t), file('put-new', '2'), { files: { 'order.json': needs('m') } });
    mend(engine);
    // That of now asks for another schema.
    assert.equal((await replayed(engine, letter.id, 'current')).outcome, 'failed');
    const detail = await (await deskOf(engine)).show(letter.id);
    assert.deepEqual([detail.version, detail.original?.version], ['2', '1']);
    assert.equal((await replayed(engine, letter.id, 'original')).outcome, 'done');
    assert.deepEqual(engine.called, ['a put-old', 'a put-old']);
    assert.deepEqual(await litter(engine.store), []);
  });

  test('is that which runs when nothing has changed: nothing is opened beside it', async (t) => {
    const opened: string[] = [];
    const { engine, letter } = await dead(t, flowOf(calling, once));
    engine.outside = { open: async (name) => void opened.push(name) };
    mend(engine);
    assert.equal((await replayed(engine, letter.id, 'original')).outcome, 'done');
    assert.deepEqual(opened, []);
  });

  test('is closed again when nobody replays with it any more', async (t) => {
    const { engine, letter } = await dead(t, file('put-old', '1'), { files: { 'order.json': needs('n') } });
    await engine.start(folderFor(t), file('put-new', '2'), { files: { 'order.json': needs('m') } });
    // What ran before has closed.
    await engine.clock.advance(1);
    const events: string[] = [];
    engine.outside = {
      open: async (name) => void events.push(`open ${name}`),
      close: async (name) => void events.push(`close ${name}`),
    };
    mend(engine);
    const desk = await deskOf(engine);
    assert.equal((await desk.replay(letter.id, 'original')).outcome, 'done');
    assert.deepEqual(events, ['open a'], 'no source');
    await engine.clock.advance(11_000);
    assert.deepEqual(events, ['open a', 'close a']);
  });

  test('one that does not fit the configuration of now is refused with the reason', async (t) => {
    const yaml = flowOf(calling, once).replace('endpoints:', 'config: { WHERE: {} }\nendpoints:');
    const { engine, letter } = await dead(t, yaml, { env: { WHERE: 'x' } });
    await engine.start(folderFor(t), flowOf(calling, once), {});
    await assert.rejects(replayed(engine, letter.id, 'original'), { code: 'not-replayable', message: /WHERE/ });
  });

  test('one that sends into a channel that nobody reads now is refused: there the message would be lost', async (t) => {
    const channel = (name: string): string =>
      `${flowOf(`- send: { endpoint: inner }\n${calling}`, once, `  inner: { channel: { name: ${name} } }`)}
  reader:
    from: { channel: { name: ${name} } }
    steps: [ { log: { message: got } } ]`;
    const { engine, letter } = await dead(t, channel('one'));
    await engine.start(folderFor(t), channel('two'), {});
    mend(engine);
    await assert.rejects(replayed(engine, letter.id, 'original'), { code: 'not-replayable', message: /channel one/ });
  });
});

describe('without a running integration', () => {
  const offline = async (t: TestContext, from: Engine, yaml: string, options: EngineOptions = {}): Promise<Engine> => {
    const engine = new Engine(options.far ?? (() => ({})), 2);
    engine.store = from.store;
    t.after(() => engine.stop());
    const broker = new MemoryBroker(engine.clock);
    const connectors = () => ({ memory: memoryConnector(broker) });
    await engine.start(folderFor(t), yaml, { connectors, ...options, standBy: true });
    return engine;
  };

  test('the endpoints are opened for a replay, and not before; the sources never', async (t) => {
    const { engine: before, letter } = await dead(t, flowOf(calling, once));
    const engine = await offline(t, before, flowOf(calling, once));
    const opened: string[] = [];
    engine.outside = { open: async (name) => void opened.push(name) };
    assert.equal((await lettersOf(engine)).length, 1);
    assert.deepEqual(opened, []);
    assert.equal((await replayed(engine, letter.id)).outcome, 'done');
    assert.deepEqual(opened, ['a']);
    assert.deepEqual(engine.called, ['a put']);
    assert.deepEqual(await lettersOf(engine), []);
  });

  test('flows that are reached through channels in memory go on with what the replay sends them', async (t) => {
    const yaml = `${flowOf('- send: { endpoint: inner }', once, '  inner: { channel: { name: inner } }')}
  reader:
    from: { channel: { name: inner } }
    steps: [ { call: { endpoint: a, test: { path: put-inner } } } ]`;
    const failing = yaml.replace('- send:', '- fail: { code: no, kind: permanent }\n      - when: true\n        send:');
    const { engine: before, letter } = await dead(
      t,
      failing.replace('      - when: true\n        send: { endpoint: inner }', ''),
    );
    const engine = await offline(t, before, yaml);
    assert.equal((await replayed(engine, letter.id)).outcome, 'done');
    await engine.stop();
    assert.deepEqual(engine.called, ['a put-inner']);
  });
});

const folderFor = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-replay-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
