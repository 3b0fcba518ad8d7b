import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, type Example, nobody, startExample } from './example.ts';

describe('the API composition', () => {
  let example: Example;
  before(async () => {
    example = await startExample('api-composition');
  });
  after(() => example[Symbol.asyncDispose]());

  test('merges the customer with the account that the customer names', async () => {
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
    for (const name of ['..%2Fc1', 'c1%2F..%2Fc2', '%2e%2e', 'c1%3Fx', 'c1%00']) {
      const { status } = await ask(`${example.url}/customers/${name}/overview`);
      assert.ok(status >= 400 && status < 500, `${name}: ${status}`);
    }
  });

  test('without the accounts the answer says that it is not complete', async () => {
    await using other = await startExample('api-composition', { ...example.urls, ACCOUNTS_URL: await nobody() });
    const { status, body } = await ask(`${other.url}/customers/c1/overview`);
    assert.equal(status, 200);
    assert.deepEqual(body, {
      id: 'c1',
      name: 'Ada Lovelace',
      account: 'a-100',
      complete: false,
      open: null,
      openInvoices: null,
    });
    const warning = other.main.log.find((line) => line.level === 'warn');
    assert.partialDeepStrictEqual(warning, { message: 'no account', customer: 'c1', code: 'connection' });
  });

  test('without the customers there is no answer: 503', async () => {
    await using other = await startExample('api-composition', { ...example.urls, CUSTOMERS_URL: await nobody() });
    const { status, headers, body } = await ask(`${other.url}/customers/c1/overview`);
    assert.equal(status, 503);
    assert.equal(headers.get('retry-after'), '5');
    assert.deepEqual(body, { error: 'connection' });
  });
});
