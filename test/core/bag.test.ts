import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bag, type Member } from '../../src/core/bag.ts';

interface Named extends Member {
  readonly name: string;
}

const named = (name: string): Named => ({ name, place: -1 });
const namesIn = (bag: Bag<Named>): string => [...bag].map(({ name }) => name).join('');

describe('a bag', () => {
  test('holds what was added and not taken away, whichever goes first', () => {
    const bag = new Bag<Named>();
    const [a, b, c] = [named('a'), named('b'), named('c')];
    for (const one of [a, b, c]) bag.add(one);
    assert.equal(namesIn(bag), 'abc');
    bag.delete(a);
    assert.equal(namesIn(bag), 'cb');
    bag.delete(b);
    bag.delete(c);
    assert.equal(bag.size, 0);
    bag.add(b);
    assert.equal(namesIn(bag), 'b');
  });

  test('what is not in it cannot be taken away: nothing of another bag is', () => {
    const [bag, other] = [new Bag<Named>(), new Bag<Named>()];
    const [a, b] = [named('a'), named('b')];
    bag.add(a);
    other.add(b);
    bag.delete(b);
    bag.delete(named('c'));
    assert.equal(namesIn(bag) + namesIn(other), 'ab');
    bag.delete(a);
    bag.delete(a);
    assert.equal(bag.size, 0);
  });

  test('may change while it is gone through', () => {
    const bag = new Bag<Named>();
    for (const name of ['a', 'b', 'c', 'd']) bag.add(named(name));
    const seen: string[] = [];
    for (const one of bag) {
      seen.push(one.name);
      bag.delete(one);
      bag.add(named('x'));
    }
    assert.deepEqual(seen, ['a', 'b', 'c', 'd']);
    assert.equal(namesIn(bag), 'xxxx');
  });
});
