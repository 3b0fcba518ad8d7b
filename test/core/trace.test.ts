import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Headers } from '../../src/core/exchange.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Span } from '../../src/core/span.ts';
import { Trace } from '../../src/core/trace.ts';

const id = '0c0b9e5e-6f0c-4f4c-a5b8-4f8f7d1c9a3e';
const digits = '0c0b9e5e6f0c4f4ca5b84f8f7d1c9a3e';
const theirs = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';

const traceOf = (headers: Readonly<Record<string, string | readonly string[]>>, message = id): Trace =>
  new Trace(message, headers as Headers, seededRandom(1));

const from = (traceparent: string | readonly string[]): Trace => traceOf({ traceparent });

describe('a trace', () => {
  it('begins with a message that came without one: its id is that of the message, without the dashes', () => {
    const trace = traceOf({});
    assert.equal(trace.id, digits);
    assert.equal(trace.parent, undefined);
    assert.match(trace.next(), new RegExp(`^00-${digits}-[\\da-f]{16}-01$`));
  });

  it('takes any id of a message', () => {
    assert.equal(traceOf({}, digits).id, digits);
    const odd = traceOf({}, 'not an id at all');
    assert.match(odd.id, /^[\da-f]{32}$/);
    assert.equal(traceOf({}, 'not an id at all').id, odd.id);
  });

  it('goes on where the sender is in one: same id, a new span for each thing that is sent', () => {
    const trace = from(`00-${theirs}-${span}-01`);
    assert.deepEqual([trace.id, trace.parent], [theirs, span]);
    const [one, two] = [trace.next(), trace.next()];
    assert.match(one, new RegExp(`^00-${theirs}-[\\da-f]{16}-01$`));
    assert.notEqual(one, two);
    assert.ok(!one.includes(span));
  });

  it('hands on whether it is sampled, and no other flag', () => {
    assert.match(from(`00-${theirs}-${span}-00`).next(), /-00$/);
    assert.match(from(`00-${theirs}-${span}-ff`).next(), /-01$/);
    assert.match(from(`00-${theirs}-${span}-02`).next(), /-00$/);
  });

  it('reads later versions as far as it knows them, and sends its own', () => {
    for (const later of [`01-${theirs}-${span}-01`, `cc-${theirs}-${span}-01-what-the-future-will-be-like`]) {
      assert.equal(from(later).id, theirs, later);
      assert.match(from(later).next(), /^00-/);
    }
  });

  const invalid = {
    'an unknown version': `ff-${theirs}-${span}-01`,
    'something behind version 00': `00-${theirs}-${span}-01-x`,
    'something behind a later version without a dash': `01-${theirs}-${span}-01x`,
    'upper case': `00-${theirs.toUpperCase()}-${span}-01`,
    'a trace of zeros': `00-${'0'.repeat(32)}-${span}-01`,
    'a span of zeros': `00-${theirs}-${'0'.repeat(16)}-01`,
    'a short trace': `00-${theirs.slice(1)}-${span}-01`,
    'no flags': `00-${theirs}-${span}`,
    'letters that are no digits': `00-${theirs.replace('4', 'g')}-${span}-01`,
    blanks: ` 00-${theirs}-${span}-01`,
    'two of them': [`00-${theirs}-${span}-01`, `00-${theirs}-${span}-01`],
    nothing: '',
  };
  for (const [what, traceparent] of Object.entries(invalid)) {
    it(`begins anew with ${what}, and drops the state`, () => {
      const trace = traceOf({ traceparent, tracestate: 'a=1' });
      assert.deepEqual([trace.id, trace.parent, trace.state], [digits, undefined, undefined]);
    });
  }
});

describe('the state of a trace', () => {
  const stateOf = (tracestate: string | readonly string[]): string | undefined =>
    traceOf({ traceparent: `00-${theirs}-${span}-01`, tracestate }).state;

  it('is handed on as it came', () => {
    const state = 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE';
    assert.equal(stateOf(state), state);
    assert.equal(stateOf('fw529a3039@dt=FfAbc-d'), 'fw529a3039@dt=FfAbc-d');
    assert.equal(stateOf('a= b c'), 'a= b c');
  });

  it('several headers are one; blanks and empty members go', () => {
    assert.equal(stateOf(['a=1', 'b=2']), 'a=1,b=2');
    assert.equal(stateOf('a=1 ,\tb=2, ,c=3'), 'a=1,b=2,c=3');
    assert.equal(stateOf(''), undefined);
  });

  it('is dropped when it cannot be read', () => {
    for (const bad of ['a', '=1', 'A=1', 'a=1,b', 'a=1=2', 'a=ä', 'a b=1', 'a@=1'])
      assert.equal(stateOf(bad), undefined, bad);
    assert.equal(stateOf(Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(',')), undefined);
  });

  it('loses large members first, then the last ones, where it is too long', () => {
    const large = `big=${'x'.repeat(300)}`;
    const small = Array.from({ length: 30 }, (_, index) => `key${index}=${'y'.repeat(20)}`);
    const kept = stateOf([large, ...small].join(','))?.split(',') ?? [];
    assert.ok(kept.join(',').length <= 512);
    assert.deepEqual(kept, small.slice(0, kept.length));
    assert.ok(kept.length > 15);
  });
});

describe('a trace inside a span that is recorded', () => {
  const recorded: Span = { id: span, child: () => recorded, set() {}, link() {}, end() {} };

  it('sends what is sent in that span, and says that it is recorded', () => {
    const trace = traceOf({ traceparent: `00-${theirs}-${'b'.repeat(16)}-00`, tracestate: 'a=1' });
    const inside = trace.within(recorded);
    assert.equal(inside.next(), `00-${theirs}-${span}-01`);
    assert.equal(inside.next(), inside.next());
    assert.equal(inside.state, 'a=1');
    assert.equal(inside.parent, 'b'.repeat(16));
    assert.equal(trace.span, undefined);
  });

  it('says with all that is sent when it is not recorded here', () => {
    const trace = traceOf({});
    assert.equal(trace.sampled, true);
    const inside = trace.within(undefined);
    assert.equal(inside.id, trace.id);
    assert.match(inside.next(), /-00$/);
    assert.notEqual(inside.next(), inside.next());
  });
});
