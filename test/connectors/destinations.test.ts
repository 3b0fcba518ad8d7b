/** Where a message goes may follow from what it says, but never beyond what the file meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectorDefinitions } from '../../connectors/index.ts';

const destinations = [
  ['amqp', 'routingKey', 'routing-key'],
  ['mqtt', 'topic', 'topic'],
  ['nats', 'subject', 'subject'],
  ['redis', 'stream', 'key'],
  ['redis', 'channel', 'key'],
  ['http', 'path', 'path'],
] as const;

for (const [connector, option, mode] of destinations) {
  test(`a hole of \`${option}\` of ${connector} adds nothing to the name but its own part`, () => {
    const { call } = connectorDefinitions[connector] ?? {};
    assert.equal(call?.properties?.[option]?.template, mode);
  });
}
