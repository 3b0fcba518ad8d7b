import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { mainFlow, startEngine } from '../support/engine.ts';

const list = (more = ''): string =>
  mainFlow(`- recipientList: { endpoints: to${more}, test: { path: p } }\n- respond: { body: "\${{ $ }}" }`);

describe('recipientList', () => {
  test('asks, and their answers become the message', async (t) => {
    const engine = await startEngine(t, list(), { far: ({ endpoint }) => ({ body: `from ${endpoint}` }) });
    const { body } = await engine.send({ body: { to: ['a', 'b'] } });
    assert.deepEqual(body, { a: 'from a', b: 'from b' });
    assert.deepEqual(
      engine.calls.map(({ operation }) => operation['answered']),
      [true, true],
    );
  });

  test('one way: no answer is asked, and the message goes on as it is', async (t) => {
    const engine = await startEngine(t, list(', oneWay: true'), { far: () => ({ body: 'nobody looks' }) });
    const { body } = await engine.send({ body: { to: ['a', 'b'] } });
    assert.deepEqual(body, { to: ['a', 'b'] });
    assert.deepEqual(
      engine.calls.map(({ operation }) => operation['answered']),
      [undefined, undefined],
    );
  });

  test('one way, and one of them cannot be reached: that is an error, as far as `require` says', async (t) => {
    const far = ({ endpoint }: { readonly endpoint: string }) => {
      if (endpoint === 'b') throw failure('connection', { endpoint, detail: 'refused', sent: false });
      return {};
    };
    const all = await startEngine(t, list(', oneWay: true'), { far });
    await assert.rejects(all.send({ body: { to: ['a', 'b'] } }), { code: 'connection' });
    const any = await startEngine(t, list(', oneWay: true, require: any'), { far });
    const { body } = await any.send({ body: { to: ['b', 'a'] } });
    assert.deepEqual(body, { to: ['b', 'a'] });
  });
});
