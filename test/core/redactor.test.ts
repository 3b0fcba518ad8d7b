import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redactor } from '../../src/core/redactor.ts';

const canary = 'c4n4ry-s3cr3t';

describe('redactor', () => {
  test('a secret disappears wherever it stands', () => {
    const clean = redactor(() => [canary]);
    const written = JSON.stringify(
      clean({ url: `http://u:${canary}@host`, deep: [{ list: [`x${canary}y${canary}`] }], n: 1, none: null }),
    );
    assert.doesNotMatch(written, new RegExp(canary));
    assert.deepEqual(clean({ n: 1, none: null, yes: true }), { n: 1, none: null, yes: true });
  });

  test('neither depth nor a circle brings it out or ends the process', () => {
    const clean = redactor(() => [canary]);
    let deep: unknown = canary;
    for (let i = 0; i < 1000; i++) deep = { deep };
    assert.doesNotMatch(JSON.stringify(clean(deep)), new RegExp(canary));
    const circle: Record<string, unknown> = { secret: canary };
    circle['self'] = circle;
    assert.doesNotMatch(JSON.stringify(clean(circle)), new RegExp(canary));
  });

  test('of a secret that another one begins with nothing stays either', () => {
    const clean = redactor(() => ['hunter2', 'hunter2-production']);
    assert.equal(clean('key hunter2-production, hunter2'), 'key ***, ***');
  });

  test('what is too short to be told from other text stays', () => {
    assert.equal(redactor(() => ['ab', ''])('a tab and a cab'), 'a tab and a cab');
  });

  test('secrets of a later version are known at once', () => {
    const secrets: string[] = [];
    const clean = redactor(() => secrets);
    assert.equal(clean(canary), canary);
    secrets.push(canary);
    assert.equal(clean(canary), '***');
  });
});
