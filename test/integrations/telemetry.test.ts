import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { listen, stranger } from '../connectors/mqtt/support.ts';
import { root } from '../support/child-process.ts';
import { withPackage } from '../support/debian-server.ts';
import { type DowelProcess, runDowel, startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { MosquittoServer, mosquittoProgram } from '../support/mosquitto-server.ts';
import { folder } from './example.ts';

type Part = 'sensors' | 'collector' | 'history';

const fileOf = (part: Part): string => join(folder, 'telemetry', part, 'integration.yaml');

interface Summary {
  readonly device: string;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** The processes of the example, with files and a session of their own. */
class Scene {
  readonly #env: Readonly<Record<string, string>>;
  readonly #folder = mkdtempSync(join(tmpdir(), 'dowel-telemetry-'));
  readonly #running = new Set<DowelProcess>();

  constructor(t: TestContext, url: string, port: number) {
    this.#env = {
      MQTT_URL: url,
      HISTORY_URL: `http://127.0.0.1:${port}`,
      PORT: String(port),
      CLIENT_ID: `collector-${port}`,
      WINDOW: '300ms',
      HISTORY_FILE: join(this.#folder, 'history.jsonl'),
    };
    t.after(async () => {
      await Promise.all([...this.#running].map((one) => one[Symbol.asyncDispose]()));
      rmSync(this.#folder, { recursive: true });
    });
  }

  async start(part: Part): Promise<DowelProcess> {
    const started = await startDowel(fileOf(part), { env: this.envOf(part) });
    this.#running.add(started);
    return started;
  }

  envOf(part: Part): Readonly<Record<string, string>> {
    return { ...this.#env, STORE_FILE: join(this.#folder, `${part}.db`) };
  }

  get history(): readonly Summary[] {
    const file = this.#env['HISTORY_FILE'] ?? '';
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // What has no end yet is being written.
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Summary);
  }

  /** How many readings of a device are in the history. */
  countOf(device: string): number {
    return this.history.reduce((sum, one) => (one.device === device ? sum + one.count : sum), 0);
  }
}

withPackage('mosquitto', mosquittoProgram, 'telemetry over MQTT', () => {
  let broker: MosquittoServer;
  before(async () => {
    broker = await MosquittoServer.start();
  });
  after(() => broker[Symbol.asyncDispose]());

  const scene = async (t: TestContext): Promise<Scene> => new Scene(t, broker.url, await freePort());

  /** Readings of a device, a second apart. */
  const measure = async (device: string, values: readonly unknown[], from = 0): Promise<void> => {
    const client = await stranger(broker);
    const readings = values.map((celsius, second) => {
      const at = new Date(Date.UTC(2026, 10, 21) + (from + second) * 1000).toISOString();
      return client.publishAsync(`sensors/${device}/temperature`, JSON.stringify({ at, celsius }), { qos: 1 });
    });
    await Promise.all(readings);
    await client.endAsync();
  };

  test('the readings of each device become a summary', async (t) => {
    const all = await scene(t);
    await all.start('history');
    await all.start('collector');
    await Promise.all([measure('a', [-18, -15, -16.5]), measure('b', [-20])]);
    await eventually('all are in the history', () => all.countOf('a') === 3 && all.countOf('b') === 1);
    const [b] = all.history.filter(({ device }) => device === 'b');
    assert.partialDeepStrictEqual(b, { count: 1, min: -20, max: -20, mean: -20, from: '2026-11-21T00:00:00.000Z' });
    const a = all.history.filter(({ device }) => device === 'a');
    assert.equal(Math.min(...a.map(({ min }) => min)), -18);
    assert.equal(Math.max(...a.map(({ max }) => max)), -15);
    const mean = a.reduce((sum, one) => sum + one.mean * one.count, 0) / 3;
    assert.ok(Math.abs(mean + 16.5) < 0.02, String(mean));
  });

  test('what is too warm is an alarm that the broker keeps; what is no reading is a dead letter', async (t) => {
    const all = await scene(t);
    await all.start('history');
    const collector = await all.start('collector');
    await measure('c', [3.5, 'warm', -18]);
    await eventually('what is right is in the history', () => all.countOf('c') === 2);
    const alarms = await listen(t, broker, 'alarms/c');
    await eventually('the alarm is there', () => alarms.length === 1);
    assert.equal(alarms[0]?.retain, true);
    assert.equal((JSON.parse(String(alarms[0]?.payload)) as { readonly celsius: number }).celsius, 3.5);
    await collector.stop();
    const { stdout } = await runDowel(['dead-letters', 'list', fileOf('collector')], { env: all.envOf('collector') });
    assert.match(stdout, /validation/);
  });

  test('a collector that is killed in the middle loses nothing and counts nothing twice', async (t) => {
    const all = await scene(t);
    await all.start('history');
    let collector = await all.start('collector');
    const readings = 40;
    for (let round = 0; round < 3; round++) {
      const values = Array.from({ length: readings }, (_, n) => -18 - n / 10);
      await measure('d', values, round * readings);
      await collector.stop('SIGKILL');
      // Sent while nobody is there: they wait at the broker.
      await measure('e', values, round * readings);
      collector = await all.start('collector');
    }
    const total = 3 * readings;
    await eventually('all are in the history', () => all.countOf('d') >= total && all.countOf('e') >= total, 30_000);
    assert.deepEqual([all.countOf('d'), all.countOf('e')], [total, total]);
  });

  test('a history that is away: summaries wait, and none is kept twice when it is back', async (t) => {
    const all = await scene(t);
    const collector = await all.start('collector');
    await measure('f', [-18, -17]);
    await collector.until('it was tried', () => /could not be reached/.test(collector.stdout));
    await all.start('history');
    await eventually('all are in the history', () => all.countOf('f') >= 2, 30_000);
    assert.equal(all.countOf('f'), 2);
  });

  test('the sensors measure', async (t) => {
    const all = await scene(t);
    const seen = await listen(t, broker, 'sensors/#');
    await all.start('sensors');
    await eventually('all three have said something', () => new Set(seen.map(({ topic }) => topic)).size === 3);
    const { celsius } = JSON.parse(String(seen[0]?.payload)) as { readonly celsius: number };
    assert.ok(celsius >= -18 && celsius <= -14, String(celsius));
  });

  test('its page starts what exists', () => {
    const page = readFileSync(join(folder, 'telemetry', 'README.md'), 'utf8');
    const files = [...page.matchAll(/^npx dowel run (\S+)$/gm)].map(([, file = '']) => file);
    assert.equal(files.length, 3);
    for (const file of files) assert.ok(existsSync(join(root, file)), file);
  });
});
