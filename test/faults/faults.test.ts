import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallFault, runCalls, titles } from './calls-run.ts';
import { runFault } from './fault-run.ts';
import { faults } from './faults.ts';
import { subjects } from './subjects.ts';

/** The short form of `npm run faults`. */
const messages = 300;

const tried: Readonly<Record<string, readonly string[]>> = {
  accepted: ['kill', 'stop', 'reload', 'pause'],
  file: ['reload', 'pause'],
  amqp: ['kill', 'stop', 'pause'],
  mqtt: ['kill', 'pause'],
  nats: ['kill', 'broker', 'pause'],
  redis: ['kill', 'pause'],
  kafka: ['pause'],
};

for (const subject of subjects) {
  for (const fault of faults.filter(({ name }) => tried[subject.name]?.includes(name))) {
    test(`messages that wait in ${subject.name}, ${fault.title}: none is lost, few come twice`, async (t) => {
      const why = await subject.missing();
      if (why !== undefined && (subject.optional || !process.env['CI'])) {
        t.skip(why);
        return;
      }
      assert.equal(why, undefined);
      const { accepted, lost, duplicates, bound } = await runFault(subject, fault, { messages, strikes: 2 });
      assert.deepEqual([accepted, lost], [messages, 0]);
      assert.ok(duplicates <= bound, `${duplicates} duplicates, where ${bound} are promised at most`);
    });
  }
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
