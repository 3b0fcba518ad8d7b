import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { codec } from '../../src/format/codec.ts';
import { mainFlow, startEngine } from '../support/engine.ts';

describe('transform', () => {
  test('its value becomes the body', async (t) => {
    const engine = await startEngine(t, mainFlow(`- transform: '{ "id": orderId, "total": $sum(items.price) }'`));
    const reply = await engine.send({ body: { orderId: 'A1', items: [{ price: 2 }, { price: 3 }] } });
    assert.deepEqual(reply.body, { id: 'A1', total: 5 });
  });

  test('a value of nothing is an empty body', async (t) => {
    const engine = await startEngine(t, mainFlow('- transform: missing'));
    const reply = await engine.send({ body: {} });
    assert.equal(reply.body, undefined);
    assert.equal(reply.exchange?.body.isEmpty, true);
  });

  test('an expression that fails ends the message with its place', async (t) => {
    const engine = await startEngine(t, mainFlow('- name: Add up\n  transform: n + 1'));
    await assert.rejects(engine.send({ body: { n: 'a' } }), { code: 'expression', place: 'main/steps/0 "Add up"' });
  });
});

describe('set', () => {
  test('variables are named in the file, never by a message', async (t) => {
    await assert.rejects(
      startEngine(t, mainFlow('- set: { variables: "${{ $ }}" }')),
      /unnamed: Variables are named one by one/,
    );
  });

  test('sets body, headers and variables, each from the message as it was before the step', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`
- set:
    body: { now: "\${{ $string(n) & '!' }}" }
    headers: { x-was: "\${{ $string(n) }}" }
    variables: { twice: "\${{ n * 2 }}" }
- transform: '{ "body": $, "twice": $twice, "header": $headers."x-was" }'`),
    );
    const reply = await engine.send({ body: { n: 4 } });
    assert.deepEqual(reply.body, { body: { now: '4!' }, twice: 8, header: '4' });
    assert.deepEqual({ ...reply.headers }, { 'x-was': '4' });
  });

  test('a header whose hole yields nothing is removed', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- set: { headers: { X-Secret: "${{ nothing }}" } }\n- transform: $headers'),
    );
    const reply = await engine.send({ body: {}, headers: { 'x-secret': '1', 'x-kept': '2' } });
    assert.deepEqual(reply.body, { 'x-kept': '2' });
  });

  test('headers of the caller are not passed on, those that the file set are', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- set: { headers: { x-mine: "1" } }\n- call: { endpoint: a, headers: { x-call: "2" } }'),
    );
    await engine.send({ body: {}, headers: { authorization: 'Basic abc', cookie: 'c=1' } });
    assert.deepEqual({ ...engine.calls[0]?.headers }, { 'x-mine': '1', 'x-call': '2' });
  });

  test('a line break in a header value is refused', async (t) => {
    const engine = await startEngine(t, mainFlow('- set: { headers: { x-name: "${{ name }}" } }'));
    await assert.rejects(engine.send({ body: { name: 'a\r\nset-cookie: b' } }), { kind: 'permanent' });
  });
});

describe('the content type that the file set', () => {
  const typed = '- set: { headers: { content-type: application/xml } }\n';

  test('is what later values are written as, sent or answered', async (t) => {
    for (const send of [
      '- call: { endpoint: a, as: x }',
      '- call: { endpoint: a, body: { a: 1 }, as: x }',
      '- send: { endpoint: out }',
    ]) {
      const engine = await startEngine(t, mainFlow(`${typed}- transform: '{ "a": 1 }'\n${send}`));
      const { exchange } = await engine.send();
      assert.equal(engine.calls[0]?.contentType, 'application/xml', send);
      assert.equal(exchange?.body.contentType, undefined);
    }
    const engine = await startEngine(t, mainFlow(`${typed}- transform: '{ "a": 1 }'\n- respond: {}`));
    const { exchange } = await engine.send();
    assert.match(String(exchange?.body.bytes(codec)), /<a>1<\/a>/);
  });

  test('gives way to that of a conversion', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(`${typed}- transform: '{ "a": 1 }'\n- convert: { to: json }\n- respond: {}`),
    );
    const { headers, exchange } = await engine.send();
    assert.equal(headers['content-type'], undefined);
    assert.equal(exchange?.body.contentType, 'application/json');
  });
});

describe('convert', () => {
  const xml = '<order id="7"><sku>007</sku><line>a</line></order>';

  test('XML to JSON, by content type, with options under the name of the format', async (t) => {
    const engine = await startEngine(t, mainFlow('- convert: { to: json, xml: { arrays: [order.line] } }'));
    const reply = await engine.send({ bytes: { text: xml, contentType: 'application/xml' } });
    assert.deepEqual(reply.body, { order: { '@id': '7', sku: '007', line: ['a'] } });
    assert.equal(reply.exchange?.body.contentType, 'application/json');
  });

  test('JSON to XML', async (t) => {
    const engine = await startEngine(t, mainFlow('- convert: { to: xml }'));
    const reply = await engine.send({ body: { order: { '@id': '7', line: ['a', 'b & c'] } } });
    const bytes = await reply.exchange?.body.bytes({} as never);
    assert.match(String(bytes), /<order id="7"><line>a<\/line><line>b &amp; c<\/line><\/order>/);
    assert.match(String(reply.exchange?.body.contentType), /^application\/xml/);
  });

  test('`from` reads what the content type does not tell', async (t) => {
    const engine = await startEngine(t, mainFlow('- convert: { to: json, from: form }'));
    const reply = await engine.send({ bytes: { text: 'a=1&b=x+y', contentType: 'application/octet-stream' } });
    assert.deepEqual(reply.body, { a: '1', b: 'x y' });
  });

  test('what is not what it says is malformed', async (t) => {
    const engine = await startEngine(t, mainFlow('- convert: { to: json }'));
    await assert.rejects(engine.send({ bytes: { text: '<a><b></a>', contentType: 'text/xml' } }), {
      code: 'malformed',
      status: 400,
    });
    await assert.rejects(engine.send({ bytes: { text: 'abc', contentType: 'image/png' } }), {
      code: 'unsupported-media-type',
      status: 415,
    });
  });
});

describe('validate', () => {
  const schema = JSON.stringify({
    type: 'object',
    required: ['sku', 'quantity'],
    properties: { sku: { type: 'string' }, quantity: { type: 'integer', minimum: 1 } },
  });

  test('a valid body goes on', async (t) => {
    const engine = await startEngine(t, mainFlow('- validate: { schema: ./order.json }'), {
      files: { 'order.json': schema },
    });
    assert.deepEqual((await engine.send({ body: { sku: 'tea', quantity: 1 } })).body, { sku: 'tea', quantity: 1 });
  });

  test('an invalid one is a permanent error that lists every finding with its pointer', async (t) => {
    const engine = await startEngine(t, mainFlow('- validate: { schema: ./order.json }'), {
      files: { 'order.json': schema },
    });
    await assert.rejects(
      engine.send({ body: { quantity: 0 } }),
      (error: { code: string; kind: string; status: number; facts: { errors: { pointer: string }[] } }) => {
        assert.equal(error.code, 'validation');
        assert.equal(error.kind, 'permanent');
        assert.equal(error.status, 400);
        assert.deepEqual(error.facts.errors.map((one) => one.pointer).sort(), ['', '/quantity']);
        return true;
      },
    );
  });

  test('the schema may stand in the file', async (t) => {
    const engine = await startEngine(t, mainFlow('- validate: { schema: { type: array, maxItems: 1 } }'));
    assert.deepEqual((await engine.send({ body: [1] })).body, [1]);
    await assert.rejects(engine.send({ body: [1, 2] }), { code: 'validation' });
  });
});

describe('log', () => {
  test('writes the message and fields, never the body by itself', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- log: { level: warn, message: "low stock", fields: { sku: "${{ sku }}" } }'),
    );
    const reply = await engine.send({ body: { sku: 'tea', card: '4111' } });
    const line = engine.log.lines.find((one) => one.message === 'low stock');
    assert.equal(line?.level, 'warn');
    assert.equal(line?.fields['sku'], 'tea');
    assert.equal(line?.fields['flow'], 'main');
    assert.doesNotMatch(JSON.stringify(engine.log.lines), /4111/);
    assert.deepEqual(reply.body, { sku: 'tea', card: '4111' });
  });

  test('a message that is no text is written as JSON; one that is nothing says the name of the step', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- log: { message: "${{ $ }}" }\n- name: Nothing there\n  log: { message: "${{ missing }}" }'),
    );
    await engine.send({ body: { a: 1 } });
    const lines = engine.log.lines.filter((line) => line.level === 'info').map((line) => line.message);
    assert.deepEqual(lines, ['{"a":1}', 'Nothing there']);
  });

  test('fields never pass for what the line says of itself', async (t) => {
    const engine = await startEngine(t, mainFlow('- log: { message: all, fields: "${{ $ }}" }'));
    const body = { level: 'debug', flow: 'other', sku: 'tea' };
    await engine.send({ body });
    const line = engine.log.lines.find((one) => one.message === 'all');
    assert.deepEqual([line?.fields['flow'], line?.fields['level'], line?.fields['fields']], ['main', undefined, body]);
    await assert.rejects(
      startEngine(t, mainFlow('- log: { message: x, fields: { level: "${{ level }}" } }')),
      /field-taken: Every line says its `level` already/,
    );
  });
});

describe('fail', () => {
  test('its detail is text, and the code where there is none', async (t) => {
    for (const [detail, message] of [
      ['${{ $ }}', '{"a":1}'],
      ['${{ missing }}', 'The flow failed with out-of-stock'],
    ]) {
      const engine = await startEngine(t, mainFlow(`- fail: { code: out-of-stock, detail: "${detail}" }`));
      await assert.rejects(engine.send({ body: { a: 1 } }), { code: 'out-of-stock', message });
    }
  });
});

describe('script', () => {
  const price = `
export default (order) => ({ total: order.quantity * 3 });
export const slow = async (input, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
export const refuse = () => { throw Object.assign(new Error('no such product'), { code: 'no-product', kind: 'permanent', status: 404 }); };
export const bug = () => { null.x; };
export const strange = () => { throw Object.create(null); };
export const change = (order) => { order.quantity = 9; return order.quantity; };
`;
  const files = { 'price.ts': price };

  test('calls a function of the user with an input and takes its result', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow(
        '- script: { module: ./price.ts, input: { quantity: "${{ n }}" }, as: price }\n- transform: $price.total',
      ),
      { files },
    );
    assert.equal((await engine.send({ body: { n: 2 } })).body, 6);
  });

  test('has settings from outside, secrets too, and the bytes as they came: the signature of a webhook', async (t) => {
    const verify = `
import { createHmac } from 'node:crypto';
export default async (_, { settings, bytes, headers }) =>
  createHmac('sha256', settings.key).update(await bytes()).digest('hex') === headers['x-signature'];
`;
    const yaml = mainFlow(
      '- script: { module: ./verify.ts, settings: { key: "${KEY}" }, as: genuine }\n- transform: $genuine',
    );
    const engine = await startEngine(t, yaml.replace(/^flows:/m, 'config: { KEY: { secret: true } }\nflows:'), {
      files: { 'verify.ts': verify },
      env: { KEY: 'geheim' },
    });
    const text = '{ "a":  1.0 }';
    const signature = createHmac('sha256', 'geheim').update(text).digest('hex');
    const bytes = { text, contentType: 'application/json' };
    assert.equal((await engine.send({ bytes, headers: { 'x-signature': signature } })).body, true);
    assert.equal((await engine.send({ bytes, headers: { 'x-signature': 'no' } })).body, false);
  });

  test('an error with code and kind keeps them', async (t) => {
    const engine = await startEngine(t, mainFlow('- script: { module: ./price.ts, export: refuse }'), { files });
    await assert.rejects(engine.send({ body: {} }), {
      code: 'no-product',
      kind: 'permanent',
      status: 404,
      message: 'no such product',
    });
  });

  test('any other error is `script`, and the process lives', async (t) => {
    const engine = await startEngine(t, mainFlow('- script: { module: ./price.ts, export: bug }'), { files });
    await assert.rejects(engine.send({ body: {} }), { code: 'script', kind: 'permanent' });
    await assert.rejects(engine.send({ body: {} }), { code: 'script' });
    const strange = await startEngine(t, mainFlow('- script: { module: ./price.ts, export: strange }'), { files });
    await assert.rejects(strange.send({ body: {} }), { code: 'script', message: /what was thrown is no Error/ });
  });

  test('what it writes into its argument changes no message', async (t) => {
    const engine = await startEngine(t, mainFlow('- script: { module: ./price.ts, export: change, as: q }'), { files });
    const body = { quantity: 2 };
    assert.deepEqual((await engine.send({ body })).body, { quantity: 2 });
    assert.deepEqual(body, { quantity: 2 });
  });

  test('the deadline ends one that waits', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- script: { module: ./price.ts, export: slow }', { flow: 'deadline: 2s' }),
      { files },
    );
    const sent = assert.rejects(engine.send({ body: {} }), { code: 'deadline' });
    await engine.clock.advance(2000);
    await sent;
  });

  test('a module without that function is told before anything starts', async (t) => {
    await assert.rejects(
      startEngine(t, mainFlow('- script: { module: ./price.ts, export: prise }'), { files }),
      /price\.ts.*`prise`.*default, slow|price\.ts.*`prise`/,
    );
  });
});
