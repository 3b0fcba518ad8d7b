import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { service } from '../support/http-service.ts';
import { ask, type Example, post, startExample } from './example.ts';

interface Book {
  readonly isbn: string;
  readonly title: string;
  readonly authors: readonly string[];
}

/** A catalogue that always says the same. */
const catalogueThatSays = (t: TestContext, xml: string): Promise<string> =>
  service(t, (_request, response) => void response.writeHead(200, { 'content-type': 'application/xml' }).end(xml));

describe('the REST face of an XML service', () => {
  let example: Example;
  before(async () => {
    example = await startExample('rest-facade-xml');
  });
  after(() => example[Symbol.asyncDispose]());

  test('lists are lists, be it of none, one or many', async () => {
    const search = async (query: string): Promise<readonly Book[]> => {
      const { status, body } = await ask(`${example.url}/books${query}`);
      assert.equal(status, 200);
      return body as readonly Book[];
    };
    assert.deepEqual(
      (await search('')).map((book) => book.title),
      ['Pride and Prejudice', 'Dune', '1984', 'Good Omens'],
    );
    assert.deepEqual(await search('?author=Neil%20Gaiman'), [
      {
        isbn: '978-0-06-085398-3',
        title: 'Good Omens',
        authors: ['Terry Pratchett', 'Neil Gaiman'],
        available: true,
      },
    ]);
    assert.deepEqual(await search('?author=nobody'), []);
  });

  test('one book has its number of copies as a number, and its title as text', async () => {
    const { body } = await ask(`${example.url}/books/978-0-452-28423-4`);
    assert.deepEqual(body, { isbn: '978-0-452-28423-4', title: '1984', authors: ['George Orwell'], copies: 4 });
  });

  test('what is not in the catalogue is not found', async () => {
    for (const path of ['/books/none', '/books/none/reservations']) {
      const { status, body } = path.endsWith('none')
        ? await ask(`${example.url}${path}`)
        : await post(`${example.url}${path}`, { reader: 'r1' });
      assert.equal(status, 404);
      assert.deepEqual(body, { error: 'no such book' });
    }
  });

  test('a reservation is ready when a copy is there, else it waits', async () => {
    const reserve = (isbn: string, reader: string) => post(`${example.url}/books/${isbn}/reservations`, { reader });
    const ready = await reserve('978-0-14-143951-8', 'r1');
    assert.equal(ready.status, 201);
    assert.deepEqual(ready.body, { number: '978-0-14-143951-8/r1', state: 'ready' });
    assert.deepEqual((await reserve('978-0-441-01359-3', 'r1')).body, {
      number: '978-0-441-01359-3/r1',
      state: 'waiting',
    });
  });

  test('what a reader is called cannot become markup', async () => {
    const reader = '</reader><isbn>978-0-452-28423-4</isbn>&<![CDATA[x]]>"';
    const { status, body } = await post(`${example.url}/books/978-0-14-143951-8/reservations`, { reader });
    assert.equal(status, 201);
    assert.deepEqual(body, { number: `978-0-14-143951-8/${reader}`, state: 'ready' });
  });

  test('a reservation without a reader is refused before the catalogue is asked', async () => {
    const { status, body } = await post(`${example.url}/books/978-0-14-143951-8/reservations`, {});
    assert.equal(status, 400);
    assert.equal((body as { code: string }).code, 'validation');
  });
});

describe('the REST face of an XML service, when the catalogue', () => {
  const show = async (CATALOGUE_URL: string) => {
    await using example = await startExample('rest-facade-xml', { CATALOGUE_URL });
    return await ask(`${example.url}/books/1`);
  };

  test('uses a prefix of its own, the same is read', async (t) => {
    const xml =
      '<x:book isbn="1" xmlns:x="urn:example:catalogue"><x:title>T</x:title><x:author>A</x:author><x:copies>1</x:copies></x:book>';
    const { status, body } = await show(await catalogueThatSays(t, xml));
    assert.equal(status, 200);
    assert.deepEqual(body, { isbn: '1', title: 'T', authors: ['A'], copies: 1 });
  });

  test('says what is no XML, that is its fault: 503, not 400', async (t) => {
    const { status } = await show(await catalogueThatSays(t, '<book><title></book>'));
    assert.equal(status, 503);
  });

  test('is down: 503', async () => {
    await using example = await startExample('rest-facade-xml');
    await example.backend('catalogue').stop('SIGKILL');
    const { status, body } = await ask(`${example.url}/books`);
    assert.equal(status, 503);
    assert.deepEqual(body, { error: 'connection' });
  });
});
