import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ask, startExample } from './example.ts';

describe('the API composition', () => {
  test('merges the customer with the account that the customer names', async () => {
    await using example = await startExample('api-composition');
    const { status, body } = await ask(`${example.url}/customers/c1/overview`);
    assert.equal(status, 200);
    assert.deepEqual(body, {
      id: 'c1',
      name: 'Ada Lovelace',
      account: 'a-100',
      complete: true,
      open: 5000,
      openInvoices: ['i-2', 'i-3'],
    });
    const nothingOpen = await ask(`${example.url}/customers/c2/overview`);
    assert.deepEqual(nothingOpen.body, {
      id: 'c2',
      name: 'Grace Hopper',
      account: 'a-200',
      complete: true,
      open: 0,
      openInvoices: [],
    });
  });

  test('a path in the place of a name stays a name', async () => {
    await using example = await startExample('api-composition');
    for (const name of ['..%2Fc1', 'c1%2F..%2Fc2', '%2e%2e', 'c1%3Fx', 'c1%00']) {
      const { status } = await ask(`${example.url}/customers/${name}/overview`);
      assert.ok(status >= 400 && status < 500, `${name}: ${status}`);
    }
  });

  test('without the accounts the answer says that it is not complete', async () => {
    await using example = await startExample('api-composition');
    await example.backend('accounts').stop('SIGKILL');
    const { status, body } = await ask(`${example.url}/customers/c1/overview`);
    assert.equal(status, 200);
    assert.deepEqual(body, {
      id: 'c1',
      name: 'Ada Lovelace',
      account: 'a-100',
      complete: false,
      open: null,
      openInvoices: null,
    });
    const warning = example.main.log.find((line) => line.level === 'warn');
    assert.partialDeepStrictEqual(warning, { message: 'no account', customer: 'c1', code: 'connection' });
  });

  test('without the customers there is no answer: 503', async () => {
    await using example = await startExample('api-composition');
    await example.backend('customers').stop('SIGKILL');
    const { status, headers, body } = await ask(`${example.url}/customers/c1/overview`);
    assert.equal(status, 503);
    assert.equal(headers.get('retry-after'), '5');
    assert.deepEqual(body, { error: 'connection' });
  });
});
