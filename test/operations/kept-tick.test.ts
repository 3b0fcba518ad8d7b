import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptTick } from '../../src/operations/kept-tick.ts';

test('what is kept is one of the objects that Node makes for process.nextTick', async () => {
  const kept = await keptTick;
  assert.equal(typeof Reflect.get(kept, 'callback'), 'function');
  assert.ok('args' in kept);
});
