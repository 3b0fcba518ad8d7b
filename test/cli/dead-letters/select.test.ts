import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyDesk } from '../../../src/cli/dead-letters/empty.ts';
import { noneFound } from '../../../src/cli/dead-letters/none.ts';
import { selection } from '../../../src/cli/dead-letters/select.ts';
import type { Query } from '../../../src/flow/dead-letters/query.ts';
import type { LetterSummary } from '../../../src/flow/dead-letters/views.ts';

const summary = (id: string, type: LetterSummary['type'] = 'message'): LetterSummary => ({
  id,
  type,
  integration: 'shop',
  flow: 'take',
  code: 'timeout',
  kind: 'transient',
  detail: 'late',
  attempts: 1,
  receivedAt: '2026-01-01T00:00:00.000Z',
  failedAt: '2026-01-01T00:00:00.000Z',
  exchange: id,
  size: 2,
});

test('a filter means all messages that fit, the oldest first, through all pages; what is to be undone is named', async () => {
  const asked: Query[] = [];
  const pages = [
    { letters: [summary('a')], next: 'x' },
    { letters: [], next: 'y' },
    { letters: [summary('b', 'undo'), summary('c')] },
  ];
  const list = async (query: Query) => {
    asked.push(query);
    return pages[asked.length - 1] ?? { letters: [] };
  };
  const ids = await selection('replay', [], { flow: 'take', since: '1h' })({ ...emptyDesk, list });
  assert.deepEqual(ids, ['a', 'c']);
  assert.deepEqual(
    asked.map(({ after }) => after),
    [undefined, 'x', 'y'],
  );
  assert.ok(
    asked.every(({ order, flow, since }) => order === 'oldest' && flow === 'take' && typeof since === 'number'),
  );
});

test('letters that are named are taken as they are, each once', async () => {
  assert.deepEqual(await selection('discard', ['b', 'a', 'b'], {})(emptyDesk), ['b', 'a']);
});

test('where nothing fits, a name that is misspelt is told', () => {
  assert.equal(noneFound({}, ['take']), 'no dead letters');
  assert.equal(noneFound({ flow: 'take', code: 'http-5xx' }, ['take']), 'no dead letters');
  assert.equal(noneFound({ code: 'out-of-stock' }, []), 'no dead letters', 'a code of the file’s own');
  assert.equal(noneFound({ flow: 'zzz' }, ['take']), 'no dead letters; the file has no flow zzz');
  assert.equal(noneFound({ code: 'timout' }, []), 'no dead letters; did you mean --code timeout?');
});
