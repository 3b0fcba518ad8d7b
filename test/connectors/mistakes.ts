import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectorDefinition, Slot } from '#sdk';

/** Title, slot, options, where it is told, and what is said. */
export type Mistake = readonly [title: string, slot: Slot, options: object, at: string, says: RegExp];

/** Mistakes with secrets, which no file of mistakes can have in the open; the others are in the fixtures. */
export function describeMistakes(check: NonNullable<ConnectorDefinition['check']>, mistakes: readonly Mistake[]): void {
  for (const [title, slot, options, at, says] of mistakes) {
    test(`${title} is one mistake, with what to write`, () => {
      const found: string[][] = [];
      check(options, (place, message) => found.push([place, message]), slot);
      assert.equal(found.length, 1);
      assert.equal(found[0]?.[0], at);
      assert.match(found[0]?.[1] ?? '', says);
    });
  }
}
