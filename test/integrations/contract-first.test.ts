import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { service } from '../support/http-service.ts';
import { ask, startExample } from './example.ts';

describe('contract first', () => {
  test('what the inventory promises is what is asked of it, and what it breaks is told in the log alone', async (t) => {
    const seen: (string | undefined)[] = [];
    const INVENTORY_URL = await service(t, (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      const broken = request.url?.startsWith('/prices/');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(broken ? '{ "amount": 0, "currency": "canary" }' : '{ "available": 3 }');
    });
    await using example = await startExample('contract-first', { INVENTORY_URL });
    const { status, body } = await ask(`${example.url}/articles/tea`);
    assert.equal(status, 502);
    assert.equal((body as { readonly code: string }).code, 'contract-answer');
    assert.doesNotMatch(JSON.stringify(body), /amount|canary/);
    assert.deepEqual(seen, ['GET /stock/tea', 'GET /prices/tea']);
  });
});
