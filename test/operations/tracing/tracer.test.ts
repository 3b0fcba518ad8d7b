import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../../src/core/clock.ts';
import { seededRandom, systemRandom } from '../../../src/core/random.ts';
import { Trace } from '../../../src/core/trace.ts';
import type { FinishedSpan } from '../../../src/operations/tracing/finished-span.ts';
import { type SamplerSettings, samplerOf } from '../../../src/operations/tracing/sampler.ts';
import { tracer } from '../../../src/operations/tracing/tracer.ts';

const theirs = 'a'.repeat(32);
const parent = 'b'.repeat(16);
const random = seededRandom(1);
const begun = (id = random.uuid()): Trace => new Trace(id, {}, random);
const from = (flags: '00' | '01'): Trace => new Trace('m', { traceparent: `00-${theirs}-${parent}-${flags}` }, random);

describe('which traces are recorded', () => {
  const decides = (name: SamplerSettings['name'], ratio = 1): readonly boolean[] => {
    const sampler = samplerOf({ name, ratio });
    return [begun(), from('01'), from('00')].map((trace) => sampler(trace));
  };

  test('with a sampler that follows the sender: its decision, and its own for traces that begin here', () => {
    assert.deepEqual(decides('parentbased_always_on'), [true, true, false]);
    assert.deepEqual(decides('parentbased_always_off'), [false, true, false]);
    assert.deepEqual(decides('parentbased_traceidratio', 0), [false, true, false]);
    assert.deepEqual(decides('parentbased_traceidratio', 1), [true, true, false]);
  });

  test('with one that does not: always its own', () => {
    assert.deepEqual(decides('always_on'), [true, true, true]);
    assert.deepEqual(decides('always_off'), [false, false, false]);
  });

  test('by ratio: about that part of the traces that begin here, and of an id always the same', () => {
    const sampler = samplerOf({ name: 'traceidratio', ratio: 0.1 });
    const seeded = seededRandom(7);
    const ids = Array.from({ length: 10_000 }, () => seeded.uuid());
    const kept = ids.filter((id) => sampler(begun(id)));
    assert.ok(kept.length > 850 && kept.length < 1150, `${kept.length} of 10,000`);
    assert.ok(kept.every((id) => sampler(begun(id))));
  });
});

describe('spans', () => {
  const recording = () => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1));
    const ended: FinishedSpan[] = [];
    const sampler = samplerOf({ name: 'parentbased_always_on', ratio: 1 });
    return {
      clock,
      ended,
      traces: tracer({ clock, random: systemRandom, sampler, ended: (span) => ended.push(span) }),
    };
  };

  test('are linked to those of other messages, at most to 128', () => {
    const { ended, traces } = recording();
    const span = traces.begin(begun(), 'collected', 'internal', {});
    span.link([from('01').next()]);
    span.link(Array.from({ length: 200 }, () => begun().next()));
    span.end();
    const { links } = ended[0] ?? {};
    assert.equal(links?.length, 128);
    assert.equal(links[0]?.traceId, theirs);
    assert.match(String(links[0]?.id), /^[\da-f]{16}$/);
  });

  test('of a message nest, in the trace of its sender, and know when they were', async () => {
    const { clock, ended, traces } = recording();
    const span = traces.begin(from('01'), 'POST /orders', 'server', { 'http.route': '/orders' });
    await clock.advance(5);
    const child = span.child('step', 'internal', {});
    await clock.advance(10);
    child.end('http-503');
    span.set({ 'http.response.status_code': 502 });
    span.end();
    const [step, message] = ended;
    assert.ok(step && message);
    assert.equal(message.traceId, theirs);
    assert.deepEqual([message.parent, message.remoteParent], [parent, true]);
    assert.deepEqual([step.parent, step.remoteParent], [message.id, false]);
    assert.match(step.id, /^[\da-f]{16}$/);
    assert.equal(step.error, 'http-503');
    assert.equal(message.error, undefined);
    assert.deepEqual(message.attributes, { 'http.route': '/orders', 'http.response.status_code': 502 });
    const start = Date.UTC(2026, 0, 1);
    assert.deepEqual([message.start, message.end], [start, start + 15]);
    assert.deepEqual([step.start, step.end], [start + 5, start + 15]);
  });

  test('of a message that began its trace have no parent, and the trace has the id of the message', () => {
    const { ended, traces } = recording();
    const id = systemRandom.uuid();
    traces.begin(begun(id), 'tick', 'internal', {}).end();
    assert.deepEqual([ended[0]?.traceId, ended[0]?.parent], [id.replaceAll('-', ''), undefined]);
    assert.equal(ended[0]?.remoteParent, false);
  });

  test('of a trace that is not recorded are not wanted', () => {
    const { traces } = recording();
    assert.equal(traces.records(from('00')), false);
    assert.equal(traces.records(from('01')), true);
  });

  test('end once', () => {
    const { ended, traces } = recording();
    const span = traces.begin(begun(), 'tick', 'internal', {});
    span.end();
    span.end('late');
    assert.equal(ended.length, 1);
  });
});
