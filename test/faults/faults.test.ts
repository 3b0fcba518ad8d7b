import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CallFault, runCalls, titles } from './calls-run.ts';
import { Place, runFaults } from './fault-run.ts';
import { type Fault, faults } from './faults.ts';
import { subjects } from './subjects.ts';

/** The short form of `npm run faults`. */
const messages = 200;

/** What strikes one after the other: where nothing may come twice apart from where something may. */
const tried: Readonly<Record<string, readonly (readonly string[])[]>> = {
  accepted: [['reload', 'reload'], ['pause', 'stop'], ['kill']],
  file: [['reload', 'reload'], ['pause']],
  amqp: [['pause', 'stop'], ['kill']],
  mqtt: [['pause'], ['kill']],
  nats: [['pause'], ['kill', 'broker']],
  redis: [['pause'], ['kill']],
  kafka: [['pause']],
};

const named = (name: string): Fault => {
  const fault = faults.find((one) => one.name === name);
  if (!fault) throw new Error(`there is no fault ${name}`);
  return fault;
};

for (const subject of subjects) {
  describe(`messages that wait in ${subject.name}`, async () => {
    const why = await subject.missing();
    const skip = why !== undefined && (subject.optional || !process.env['CI']) ? why : false;
    test('are not lost, and few come twice', { skip }, async (t) => {
      assert.equal(why, undefined);
      const runs = (tried[subject.name] ?? []).map((names) => names.map(named));
      const stopped = runs.some((strikes) => strikes.some(({ name }) => name === 'broker'));
      await using place = await Place.open(subject, !stopped);
      for (const strikes of runs) {
        await t.test(strikes.map(({ title }) => title).join(', then '), async () => {
          const { accepted, lost, duplicates, bound } = await runFaults(place, { messages, strikes });
          assert.deepEqual([accepted, lost], [messages, 0]);
          assert.ok(duplicates <= bound, `${duplicates} duplicates, where ${bound} are promised at most`);
        });
      }
    });
  });
}

const called: Readonly<Record<CallFault, number>> = { reload: 5, replace: 2 };

for (const [fault, strikes] of Object.entries(called) as readonly [CallFault, number][]) {
  test(`callers of an http source, ${titles[fault]}: no request fails, and none is done twice`, async () => {
    const { requests, failures, repeated } = await runCalls(fault, strikes);
    assert.deepEqual(failures, []);
    assert.equal(repeated, 0);
    assert.ok(requests > 0);
  });
}
