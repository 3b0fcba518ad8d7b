import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { service } from '../support/http-service.ts';
import { type Answer, type Example, post, startExample } from './example.ts';

describe('the router from JSON to SOAP', () => {
  let example: Example;
  before(async () => {
    example = await startExample('router-json-to-soap');
  });
  after(() => example[Symbol.asyncDispose]());

  const book = (parcel: unknown): Promise<Answer> => post(`${example.url}/parcels`, parcel);

  test('books each parcel with the service that goes there', async () => {
    const domestic = await book({ reference: 'R-1', country: 'DE', weight: 2.5 });
    assert.equal(domestic.status, 201);
    assert.deepEqual(domestic.body, { carrier: 'domestic', tracking: 'D-R-1', price: 670 });
    const international = await book({ reference: 'R-2', country: 'FR', weight: 31 });
    assert.equal(international.status, 201);
    assert.deepEqual(international.body, { carrier: 'international', tracking: 'FR/R-2', price: 1500 });
  });

  test('makes an answer of each fault that a client can do something about', async () => {
    const heavy = await book({ reference: 'R-3', country: 'DE', weight: 30.5 });
    assert.equal(heavy.status, 422);
    assert.deepEqual(heavy.body, { error: '30.5 kg is too heavy, the limit is 30 kg' });
    const far = await book({ reference: 'R-4', country: 'AQ', weight: 1 });
    assert.equal(far.status, 422);
    assert.deepEqual(far.body, { error: 'There is no route to AQ' });
  });

  test('refuses what is no parcel', async () => {
    for (const parcel of [
      {},
      { reference: 'R', country: 'DE', weight: -1 },
      { reference: '<x/>', country: 'DE', weight: 1 },
    ]) {
      assert.equal((await book(parcel)).status, 400);
    }
  });

  test('is 503 while the services are down', async () => {
    await using other = await startExample('router-json-to-soap');
    await other.backend('carriers').stop('SIGKILL');
    const { status, body } = await post(`${other.url}/parcels`, { reference: 'R-5', country: 'DE', weight: 1 });
    assert.equal(status, 503);
    assert.deepEqual(body, { error: 'connection' });
  });
});

test('the router speaks to each service in its version of SOAP and its namespace', async (t) => {
  const seen: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  const url = await service(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(500).end();
  });
  await using example = await startExample('router-json-to-soap', { DOMESTIC_URL: url, INTERNATIONAL_URL: url });
  for (const country of ['DE', 'US']) {
    const { status } = await post(`${example.url}/parcels`, { reference: 'R-6', country, weight: 1 });
    assert.equal(status, 503);
  }
  const [domestic, international] = seen;
  assert.match(domestic?.headers['content-type'] ?? '', /^text\/xml\b/);
  assert.equal(domestic?.headers['soapaction'], '"urn:example:domestic#BookParcel"');
  assert.match(domestic?.body ?? '', /"http:\/\/schemas\.xmlsoap\.org\/soap\/envelope\/"/);
  assert.match(domestic?.body ?? '', /"urn:example:domestic"/);
  assert.match(international?.headers['content-type'] ?? '', /^application\/soap\+xml\b/);
  assert.match(international?.body ?? '', /"http:\/\/www\.w3\.org\/2003\/05\/soap-envelope"/);
  assert.match(international?.body ?? '', /"urn:example:international"/);
});
