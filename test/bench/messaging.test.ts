import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokers } from '../../bench/messaging/index.ts';
import { measureMessaging } from '../../bench/messaging/messaging.ts';
import { messagingTable } from '../../bench/report.ts';

for (const broker of brokers) {
  const skip = process.env['CI'] && !broker.optional ? false : (broker.missing() ?? false);
  test(`bench: ${broker.title}: Dowel and the program by hand do the same, and are measured`, { skip }, async () => {
    const row = await measureMessaging(broker, { bytes: 1000, messages: 50, slices: 1, warmUp: 0 });
    for (const { cpu, perSecond } of [row.dowel, row.byHand]) assert.ok(cpu > 0 && perSecond > 0);
    assert.match(messagingTable([row]), /\| 1 kB/);
  });
}
