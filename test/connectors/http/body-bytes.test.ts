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

test('after a peak as little may be garbage as before', () => {
  const bodies = new BodyBytes();
  const external = (): number => v8.getHeapStatistics().external_memory;
  const before = external();
  let peak: Uint8Array[] | undefined = Array.from({ length: 100 }, () => {
    bodies.add(2 * mb);
    return new Uint8Array(2 * mb);
  });
  assert.ok(external() - before > 100 * mb);
  // It is over, and V8 need not have collected anything.
  for (const one of peak) BodyBytes.giveBack(one);
  peak = undefined;
  let most = 0;
  for (let i = 0; i < 4000; i++) {
    const body = new Uint8Array(mb / 16);
    bodies.add(body.length);
    most = Math.max(most, external() - before);
  }
  assert.ok(most <= 64 * mb, `${Math.round(most / mb)} MB`);
});
