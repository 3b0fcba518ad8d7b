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

test('young garbage is collected where V8 has not, after a peak as early as before', (t) => {
  const bodies = new BodyBytes();
  let external = 0;
  let asked = 0;
  t.mock.method(v8, 'getHeapStatistics', () => {
    asked++;
    return { external_memory: external };
  });
  /** Whether it collects when that much stands in buffers: then it looks once more. */
  const collects = (now: number): boolean => {
    external = now * mb;
    asked = 0;
    bodies.add(16 * mb);
    return asked === 2;
  };
  assert.equal(collects(10), false, 'little of it');
  assert.equal(collects(20), true);
  assert.equal(collects(30), false, 'no more than before and 16 MB');
  assert.equal(collects(40), true);
  assert.equal(collects(200), true);
  assert.equal(collects(5), false, 'the peak is over');
  assert.equal(collects(25), true);
});
