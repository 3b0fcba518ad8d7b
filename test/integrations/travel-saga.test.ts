import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { DowelProcess } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { service } from '../support/http-service.ts';
import { type Answer, ask, type Example, post, startBackend, startExample } from './example.ts';

const trip = (tripId: string, to = 'LIS') => ({ tripId, traveller: 'Ada Lovelace', to, nights: 2 });

/** What a booking service has in its books for a trip: `booked`, `cancelled`. */
async function states({ url }: { readonly url: string }, tripId: string): Promise<readonly string[]> {
  const { status, body } = await ask(`${url}/bookings?trip=${tripId}`);
  assert.equal(status, 200);
  return (body as readonly { readonly state: string }[]).map((one) => one.state);
}

function journal(t: Pick<TestContext, 'after'>): string {
  const made = mkdtempSync(join(tmpdir(), 'dowel-trips-'));
  t.after(() => rmSync(made, { recursive: true }));
  return join(made, 'trips.db');
}

describe('the travel saga', () => {
  let example: Example;
  const made = mkdtempSync(join(tmpdir(), 'dowel-trips-'));
  before(async () => {
    example = await startExample('travel-saga', { JOURNAL_FILE: join(made, 'trips.db') });
  });
  after(async () => {
    await example[Symbol.asyncDispose]();
    rmSync(made, { recursive: true });
  });

  const book = (body: unknown): Promise<Answer> => post(`${example.url}/trips`, body);
  const booked = async (tripId: string): Promise<Readonly<Record<string, readonly string[]>>> => ({
    flights: await states(example.backend('flights'), tripId),
    hotels: await states(example.backend('hotels'), tripId),
    cars: await states(example.backend('cars'), tripId),
  });

  test('books all three, each once', async () => {
    const { status, body } = await book(trip('all'));
    assert.equal(status, 201);
    assert.partialDeepStrictEqual(body, { tripId: 'all', total: 18900 + 2 * 9500 + 2 * 4200 });
    assert.deepEqual(await booked('all'), { flights: ['booked'], hotels: ['booked'], cars: ['booked'] });
  });

  test('the same trip again gets the same answer, and nothing is booked twice; another one of that name is refused', async () => {
    const first = await book(trip('again'));
    const second = await book(trip('again'));
    assert.deepEqual([second.status, second.body], [first.status, first.body]);
    const other = await book({ ...trip('again'), nights: 9 });
    assert.equal(other.status, 422);
    assert.equal((other.body as { readonly code: string }).code, 'key-reused');
    assert.deepEqual(await booked('again'), { flights: ['booked'], hotels: ['booked'], cars: ['booked'] });
  });

  test('a trip that could not be had may be tried again', async () => {
    assert.equal((await book(trip('retried', 'OSL'))).status, 409);
    assert.equal((await book(trip('retried', 'ATH'))).status, 201);
    assert.deepEqual(await states(example.backend('hotels'), 'retried'), ['cancelled', 'booked']);
  });

  test('where no car is left the hotel and the flight are cancelled before it answers', async () => {
    const { status, body } = await book(trip('no-car', 'OSL'));
    assert.equal(status, 409);
    assert.deepEqual(body, { error: 'no car left in OSL; the flight and the hotel were cancelled' });
    assert.deepEqual(await booked('no-car'), { flights: ['cancelled'], hotels: ['cancelled'], cars: [] });
  });

  test('where nobody flies nothing is booked', async () => {
    const { status, body } = await book(trip('no-flight', 'XXX'));
    assert.equal(status, 422);
    assert.deepEqual(body, { error: 'no flight to XXX' });
    assert.deepEqual(await booked('no-flight'), { flights: [], hotels: [], cars: [] });
  });

  test('what is no trip is refused, with every finding, before anything is booked', async () => {
    const { status, body } = await book({ tripId: 'bad', to: 'Lisbon', nights: 0 });
    assert.equal(status, 400);
    assert.equal((body as { readonly outcome: string }).outcome, 'none');
    assert.match(JSON.stringify(body), /traveller.*\/to.*\/nights/);
    assert.deepEqual(await booked('bad'), { flights: [], hotels: [], cars: [] });
  });

  test('many trips at once do not disturb each other', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    const answers = await Promise.all(names.map((name, index) => book(trip(name, index % 2 === 0 ? 'ATH' : 'OSL'))));
    for (const [index, { status }] of answers.entries()) assert.equal(status, index % 2 === 0 ? 201 : 409);
    for (const [index, name] of names.entries()) {
      const expected =
        index % 2 === 0
          ? { flights: ['booked'], hotels: ['booked'], cars: ['booked'] }
          : { flights: ['cancelled'], hotels: ['cancelled'], cars: [] };
      assert.deepEqual(await booked(name), expected, name);
    }
  });

  test('with the cars down: 503, and what was booked is cancelled', async () => {
    await example.backend('cars').stop('SIGKILL');
    const { status, headers, body } = await book(trip('down'));
    assert.equal(status, 503);
    assert.equal(headers.get('retry-after'), '5');
    assert.deepEqual(body, { error: 'connection' });
    assert.deepEqual(await states(example.backend('flights'), 'down'), ['cancelled']);
    assert.deepEqual(await states(example.backend('hotels'), 'down'), ['cancelled']);
  });
});

test('the travel saga undoes the latest booking first, by the key it was made with', async (t) => {
  const calls: string[] = [];
  const url = await service(t, (request, response) => {
    const key = request.headers['idempotency-key'] ?? '';
    calls.push(`${request.method} ${request.url} ${key}`.trim());
    const status = request.url === '/cars/bookings' ? 409 : 200;
    response.writeHead(status, { 'content-type': 'application/json' }).end('{ "id": "x", "price": 1 }');
  });
  await using example = await startExample('travel-saga', {
    FLIGHTS_URL: `${url}/flights`,
    HOTELS_URL: `${url}/hotels`,
    CARS_URL: `${url}/cars`,
    JOURNAL_FILE: journal(t),
  });
  const { status, headers } = await post(`${example.url}/trips`, trip('order'));
  assert.equal(status, 409);
  const key = headers.get('x-request-id');
  assert.deepEqual(calls, [
    `POST /flights/bookings ${key}`,
    `POST /hotels/bookings ${key}`,
    `POST /cars/bookings ${key}`,
    `DELETE /hotels/bookings/${key}`,
    `DELETE /flights/bookings/${key}`,
  ]);
});

test('a hotel that does not answer in time is asked again, and has one booking', async (t) => {
  await using hotels = await startBackend('hotels', { SLOW: '1h' });
  await using example = await startExample('travel-saga', {
    HOTELS_URL: hotels.url,
    BOOKING_TIMEOUT: '1s',
    JOURNAL_FILE: journal(t),
  });
  assert.equal((await post(`${example.url}/trips`, trip('slow'))).status, 201);
  assert.deepEqual(await states(hotels, 'slow'), ['booked']);
});

describe('the travel saga, killed', () => {
  test('while a hotel makes it wait: after the restart the trip goes on or is undone, nothing is booked twice', async (t) => {
    await using hotels = await startBackend('hotels', { SLOW: '1h' });
    const env = { HOTELS_URL: hotels.url, BOOKING_TIMEOUT: '60s', JOURNAL_FILE: journal(t) };
    await using example = await startExample('travel-saga', env);
    const answers = Promise.allSettled(
      [trip('on'), trip('back', 'OSL')].map((one) => post(`${example.url}/trips`, one)),
    );
    const waits = async (): Promise<boolean> =>
      (await states(hotels, 'on')).length + (await states(hotels, 'back')).length === 2;
    await eventually('the hotel has both bookings, and answers none', waits);
    await example.main.stop('SIGKILL');
    for (const { status } of await answers) assert.equal(status, 'rejected');

    const { flights, cars } = example.backends as Readonly<Record<string, DowelProcess>>;
    assert.ok(flights && cars);
    assert.deepEqual(await states(cars, 'on'), []);
    await using again = await startExample('travel-saga', { ...env, FLIGHTS_URL: flights.url, CARS_URL: cars.url });
    // The client, who heard nothing, asks again: as long as the trip is under way it is told so.
    const told: Answer[] = [];
    const isTold = async (): Promise<boolean> => told.push(await post(`${again.url}/trips`, trip('on'))) > 0;
    await again.main.until('the client is told', async () => (await isTold()) && told.at(-1)?.status !== 409);
    assert.equal(told.at(-1)?.status, 201);
    assert.partialDeepStrictEqual(told.at(-1)?.body, { tripId: 'on' });
    await again.main.until('the other is undone', async () => (await states(flights, 'back')).includes('cancelled'));
    assert.deepEqual(await states(flights, 'on'), ['booked']);
    assert.deepEqual(await states(hotels, 'on'), ['booked']);
    assert.deepEqual(await states(cars, 'on'), ['booked']);
    assert.deepEqual(await states(flights, 'back'), ['cancelled']);
    assert.deepEqual(await states(hotels, 'back'), ['cancelled']);
    assert.deepEqual(await states(cars, 'back'), []);
    const resumed = again.main.log.filter((line) => line.message === 'a message that was under way goes on');
    assert.equal(resumed.length, 2);
  });

  test('while it undoes: after the restart it undoes the rest', async (t) => {
    const deleted: string[] = [];
    const HOTELS_URL = await service(t, (request, response) => {
      if (request.method === 'DELETE') deleted.push(request.url ?? '');
      // The first time somebody cancels, the answer never comes.
      if (request.method === 'DELETE' && deleted.length === 1) return;
      response.writeHead(200, { 'content-type': 'application/json' }).end('{ "id": "x", "price": 1 }');
    });
    const env = { HOTELS_URL, BOOKING_TIMEOUT: '60s', JOURNAL_FILE: journal(t) };
    await using example = await startExample('travel-saga', env);
    const answer = assert.rejects(post(`${example.url}/trips`, trip('undo', 'OSL')));
    await eventually('the hotel is to cancel', () => deleted.length === 1);
    await example.main.stop('SIGKILL');
    await answer;

    const flights = example.backend('flights');
    assert.deepEqual(await states(flights, 'undo'), ['booked']);
    const FLIGHTS_URL = flights.url;
    const CARS_URL = example.backend('cars').url;
    await using again = await startExample('travel-saga', { ...env, FLIGHTS_URL, CARS_URL });
    await again.main.until('the flight is cancelled', async () =>
      (await states(flights, 'undo')).includes('cancelled'),
    );
    assert.deepEqual(deleted, [deleted[0], deleted[0]]);
    assert.deepEqual(await states(flights, 'undo'), ['cancelled']);
  });
});
