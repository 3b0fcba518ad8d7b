import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../../src/core/clock.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { Metrics } from '../../../src/operations/metrics.ts';
import type { FinishedSpan } from '../../../src/operations/tracing/finished-span.ts';
import type { Delivery } from '../../../src/operations/tracing/receiver.ts';
import type { BatchSettings } from '../../../src/operations/tracing/settings.ts';
import { SpanExport } from '../../../src/operations/tracing/span-export.ts';
import { recordingLog } from '../../support/plain-context.ts';

const span = (name: string): FinishedSpan => ({
  traceId: 'a'.repeat(32),
  id: 'b'.repeat(16),
  parent: undefined,
  remoteParent: false,
  state: undefined,
  name,
  kind: 'internal',
  start: 0,
  end: 1,
  attributes: {},
  links: [],
  error: undefined,
});

const taken: Delivery = { taken: true, rejected: 0, why: '' };
const away: Delivery = { taken: false, again: true, why: 'connect ECONNREFUSED' };

function exporting(batch: Partial<BatchSettings> = {}) {
  const clock = new VirtualClock();
  const log = recordingLog();
  const metrics = new Metrics();
  const posted: string[][] = [];
  const far = { answer: (): Delivery | Promise<Delivery> => taken };
  const spans = new SpanExport({
    clock,
    random: seededRandom(1),
    log,
    meter: metrics,
    batch: { delay: 5000, capacity: 10, size: 4, ...batch },
    to: 'http://collector:4318/v1/traces',
    async post(all) {
      posted.push(all.map(({ name }) => name));
      return far.answer();
    },
  });
  const counted = (name: string): number =>
    Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (.*)$`, 'm').exec(metrics.text())?.[1]);
  return {
    clock,
    spans,
    posted,
    far,
    counted,
    said: () => log.lines.map(({ level, message }) => `${level} ${message}`),
    log,
    add: (from: number, to: number) => {
      for (let n = from; n <= to; n++) spans.add(span(`s${n}`));
    },
  };
}

describe('spans on their way', () => {
  test('wait for others as long as the environment says, and go out together', async () => {
    const { clock, posted, add, counted } = exporting();
    add(1, 3);
    await clock.advance(4999);
    assert.deepEqual(posted, []);
    assert.equal(counted('dowel_spans_waiting'), 3);
    await clock.advance(1);
    assert.deepEqual(posted, [['s1', 's2', 's3']]);
    assert.equal(counted('dowel_spans_exported_total'), 3);
    assert.equal(counted('dowel_spans_waiting'), 0);
    add(4, 4);
    await clock.advance(5000);
    assert.deepEqual(posted[1], ['s4']);
  });

  test('go at once when a batch is full; what is left over waits for its own', async () => {
    const { clock, posted, add } = exporting();
    add(1, 6);
    await clock.advance(0);
    assert.deepEqual(posted, [['s1', 's2', 's3', 's4']]);
    await clock.advance(5000);
    assert.deepEqual(posted[1], ['s5', 's6']);
  });

  test('while the receiver is away they are tried again, the queue fills, and the rest is dropped and counted', async () => {
    const { clock, posted, add, far, counted, said, log } = exporting();
    far.answer = () => away;
    add(1, 4);
    await clock.advance(0);
    assert.deepEqual(said(), ['warn traces do not reach their receiver']);
    assert.deepEqual(log.lines[0]?.fields, { to: 'http://collector:4318/v1/traces', detail: 'connect ECONNREFUSED' });
    await clock.advance(60_000);
    const tries = posted.length;
    assert.ok(tries > 3 && tries < 12, `tried ${tries} times in a minute`);
    // Four are on their way, ten fit into the queue.
    add(5, 20);
    assert.equal(counted('dowel_spans_waiting'), 10);
    assert.equal(counted('dowel_spans_dropped_total{reason="queue-full"}'), 6);
    await clock.advance(600_000);
    assert.equal(said().length, 1);

    far.answer = () => taken;
    await clock.advance(60_000);
    assert.deepEqual(said()[1], 'info traces reach their receiver again');
    assert.deepEqual(log.lines[1]?.fields, { to: 'http://collector:4318/v1/traces', dropped: 6 });
    assert.equal(counted('dowel_spans_exported_total'), 14);
    assert.equal(counted('dowel_spans_waiting'), 0);
    assert.equal(said().length, 2);
  });

  test('a new reason why the receiver is away is told, each of them once until it is well again', async () => {
    const { clock, add, far, log } = exporting();
    const why = ['it answered 500', 'it answered 401', 'it answered 500', 'no answer'];
    far.answer = () => ({ taken: false, again: true, why: why.shift() ?? 'no answer' });
    const told = (): unknown[] => log.lines.map(({ level, fields }) => fields['detail'] ?? level);
    add(1, 4);
    await clock.advance(300_000);
    assert.deepEqual(told(), ['it answered 500', 'it answered 401', 'no answer']);

    far.answer = () => taken;
    await clock.advance(60_000);
    far.answer = () => ({ taken: false, again: true, why: 'it answered 500' });
    add(5, 8);
    await clock.advance(300_000);
    assert.deepEqual(told().slice(3), ['info', 'it answered 500']);
  });

  test('a receiver whose reasons are all different does not fill the log', async () => {
    const { clock, add, far, log } = exporting();
    let count = 0;
    far.answer = () => ({ taken: false, again: true, why: `trouble ${++count}` });
    add(1, 4);
    await clock.advance(3_600_000);
    assert.ok(count > 50, `tried ${count} times`);
    assert.equal(log.lines.length, 10);
  });

  test('a receiver that asks for a pause gets it', async () => {
    const { clock, posted, add, far } = exporting();
    far.answer = () => ({ taken: false, again: true, after: 20_000, why: 'it answered 429' });
    add(1, 4);
    await clock.advance(19_999);
    assert.equal(posted.length, 1);
    await clock.advance(1);
    assert.equal(posted.length, 2);
  });

  test('what the receiver refuses is not sent again, and counted; one line says so', async () => {
    const { clock, posted, add, far, counted, said } = exporting();
    far.answer = () => ({ taken: false, again: false, why: 'it answered 401' });
    add(1, 8);
    await clock.advance(60_000);
    assert.equal(posted.length, 2);
    assert.equal(counted('dowel_spans_dropped_total{reason="refused"}'), 8);
    assert.deepEqual(said(), ['warn traces do not reach their receiver']);
  });

  test('of a batch that is taken in part, the rest is counted as refused', async () => {
    const { clock, add, far, counted, log } = exporting();
    far.answer = () => ({ taken: true, rejected: 3, why: 'too old' });
    add(1, 4);
    await clock.advance(0);
    assert.equal(counted('dowel_spans_exported_total'), 1);
    assert.equal(counted('dowel_spans_dropped_total{reason="refused"}'), 3);
    assert.equal(log.lines[0]?.fields['detail'], 'it rejected spans: too old');
  });

  test('at the end all that waits goes out', async () => {
    const { spans, posted, add, counted } = exporting();
    add(1, 10);
    await spans.close(1000);
    assert.deepEqual(posted.flat().length, 10);
    assert.equal(counted('dowel_spans_exported_total'), 10);
  });

  test('at the end a receiver that is away is asked once more, and the rest is given up', async () => {
    const { clock, spans, add, far, counted, said } = exporting();
    far.answer = () => away;
    add(1, 10);
    await clock.advance(100);
    await spans.close(1000);
    assert.equal(counted('dowel_spans_dropped_total{reason="stopped"}'), 10);
    assert.deepEqual(said().slice(1), ['warn spans were given up']);
  });

  test('at the end a receiver that hangs keeps nobody', async () => {
    const { clock, spans, add, far, counted } = exporting();
    far.answer = () => new Promise(() => {});
    add(1, 10);
    let closed = false;
    const closing = spans.close(1000).then(() => {
      closed = true;
    });
    await clock.advance(999);
    assert.equal(closed, false);
    await clock.advance(1);
    await closing;
    assert.equal(counted('dowel_spans_dropped_total{reason="stopped"}'), 10);
  });

  test('what cannot be written is dropped, and nothing else is harmed', async () => {
    const { clock, add, far, posted, counted } = exporting();
    far.answer = () => {
      throw new Error('out of shape');
    };
    add(1, 4);
    await clock.advance(0);
    assert.equal(counted('dowel_spans_dropped_total{reason="refused"}'), 4);
    far.answer = () => taken;
    add(5, 8);
    await clock.advance(0);
    assert.deepEqual(posted[1], ['s5', 's6', 's7', 's8']);
  });
});
