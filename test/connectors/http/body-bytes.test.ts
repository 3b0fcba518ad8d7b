import assert from 'node:assert/strict';
import { test } from 'node:test';
import v8 from 'node:v8';
import { BodyBytes } from '../../../connectors/http/body-bytes.ts';

const mb = 1024 * 1024;

const young = (): number =>
  v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0;

test('many bodies do not make the young heap ever larger', (t) => {
  const bodies = new BodyBytes();
  // As much as is under way at any time, and survives a collection.
  const underWay: unknown[][] = [];
  for (let i = 0; i < 600; i++) {
    underWay[i % 16] = Array.from({ length: 20_000 }, (_, index) => ({ index }));
    bodies.add(16 * mb);
  }
  t.diagnostic(`${Math.round(young() / mb)} MB`);
  assert.ok(young() > 0);
  assert.ok(young() <= 40 * mb, `${Math.round(young() / mb)} MB`);
});
