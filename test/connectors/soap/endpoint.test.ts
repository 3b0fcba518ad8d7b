import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { envelopeReader } from '../../../connectors/soap/envelope.ts';
import {
  integrationOf,
  post,
  problemOf,
  type Received,
  type Service,
  startIntegration,
  startService,
} from '../http/support.ts';

const uris = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
} as const;
const types = { '1.1': 'text/xml; charset=utf-8', '1.2': 'application/soap+xml; charset=utf-8' } as const;
const versions = ['1.1', '1.2'] as const;
type Version = (typeof versions)[number];

const envelope = (version: Version, body: string, header = ''): string =>
  `<?xml version="1.0"?><S:Envelope xmlns:S="${uris[version]}">${header}<S:Body>${body}</S:Body></S:Envelope>`;

const fault11 = envelope(
  '1.1',
  '<S:Fault><faultcode>S:Client</faultcode><faultstring>No such sku</faultstring><detail><m:sku xmlns:m="urn:m">A1</m:sku></detail></S:Fault>',
);
const fault12 = envelope(
  '1.2',
  '<S:Fault><S:Code><S:Value>S:Receiver</S:Value></S:Code><S:Reason><S:Text xml:lang="en">Out of order</S:Text></S:Reason></S:Fault>',
);

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly text?: string | Buffer;
}

/** A SOAP service that says always the same, and a flow that calls it. */
async function calling(
  t: TestContext,
  answer: Answer,
  call: string,
  options = 'version: "1.1", namespace: "urn:calc"',
  more = '',
) {
  const far = await startService(t, (_, response) => {
    response.writeHead(answer.status ?? 200, answer.type === undefined ? {} : { 'content-type': answer.type });
    response.end(answer.text);
  });
  const running = await startIntegration(
    t,
    integrationOf(
      { main: { from: 'http: { path: /run }', steps: `- call: { endpoint: calc, ${call} }\n${more}` } },
      `calc:\n  soap: { url: "${far.url}/calc", ${options} }`,
    ),
  );
  return { far, run: (body: unknown = {}) => post(`${running.url}/run`, body) };
}

const only = ({ requests }: Service): Received => {
  assert.equal(requests.length, 1);
  const [request] = requests;
  assert.ok(request);
  return request;
};

const add = 'soap: { operation: Add }, body: { a: "${{ a }}", b: [1, 2] }';

for (const version of versions) {
  test(`a ${version} call sends an envelope and gets the inside of the answer's`, async (t) => {
    const text = envelope(version, '<n:AddResponse xmlns:n="urn:calc"><n:AddResult>007</n:AddResult></n:AddResponse>');
    const { far, run } = await calling(
      t,
      { type: types[version], text },
      add,
      `version: ${version}, namespace: "urn:calc", action: "urn:calc#{operation}"`,
    );
    const reply = await run({ a: '<&>' });
    assert.deepEqual([reply.status, reply.json], [200, { AddResponse: { AddResult: '007' } }]);
    assert.equal(reply.headers['content-type'], 'application/json');
    const { method, url, headers, body } = only(far);
    assert.deepEqual([method, url], ['POST', '/calc']);
    if (version === '1.1') {
      assert.equal(headers['content-type'], types[version]);
      assert.equal(headers['soapaction'], '"urn:calc#Add"');
    } else {
      assert.equal(headers['content-type'], `${types[version]}; action="urn:calc#Add"`);
      assert.equal(headers['soapaction'], undefined);
    }
    assert.deepEqual(envelopeReader({ namespaces: { c: 'urn:calc' } })(Buffer.from(body), undefined), {
      version,
      header: undefined,
      body: { 'c:Add': { 'c:a': '<&>', 'c:b': ['1', '2'] } },
    });
  });
}

test('header blocks, an action of its own and HTTP headers go with a call', async (t) => {
  const text = envelope('1.1', '<R/>', '<S:Header><h:Session xmlns:h="urn:h">s-2</h:Session></S:Header>');
  const { far, run } = await calling(
    t,
    { type: 'text/xml', text },
    'headers: { x-one: "1" }, soap: { operation: Add, action: "urn:${{ a }}", header: { "h:Session": { "@S:mustUnderstand": "1", "#text": "${{ a }}" } } }, body: ""',
    `version: "1.1", namespaces: { h: "urn:h", S: "${uris['1.1']}" }, headers: { x-two: "2" }, auth: { basic: { username: u, password: p } }`,
    '- respond: { body: { session: "${{ $response.header.`h:Session` }}", status: "${{ $response.status }}" } }',
  );
  const reply = await run({ a: 's-1' });
  assert.deepEqual(reply.json, { session: 's-2', status: 200 });
  const { headers, body } = only(far);
  assert.equal(headers['soapaction'], '"urn:s-1"');
  assert.deepEqual([headers['x-one'], headers['x-two']], ['1', '2']);
  assert.equal(headers.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`);
  assert.deepEqual(envelopeReader()(Buffer.from(body), undefined).header, {
    Session: { '@mustUnderstand': '1', '#text': 's-1' },
  });
});

test('without an operation the body is what stands inside the Body; without a body that is empty', async (t) => {
  const empty = { type: 'text/xml', text: envelope('1.1', '') };
  const documents = await calling(
    t,
    empty,
    'soap: {}, body: { "m:Order": { "@id": "7", item: [a, b] } }',
    'namespaces: { m: "urn:m" }, action: "urn:m/{operation}"',
    '- respond: { body: { empty: "${{ $not($exists($)) }}" } }',
  );
  assert.deepEqual((await documents.run()).json, { empty: true });
  const sent = only(documents.far);
  assert.match(sent.body, /<m:Order id="7"><item>a<\/item><item>b<\/item><\/m:Order>/);
  assert.equal(sent.headers['soapaction'], '"urn:m/Order"');
  const nothing = await calling(t, empty, 'soap: { operation: Ping }, body: "${{ missing }}"');
  await nothing.run();
  assert.match(only(nothing.far).body, /<Ping\/>/);
});

test('payloads are read by arrays, namespaces and coerce', async (t) => {
  const text = envelope(
    '1.1',
    '<x:R xmlns:x="urn:m" xmlns:y="urn:other"><x:item>1</x:item><y:free>true</y:free></x:R>',
  );
  const { run } = await calling(
    t,
    { type: 'text/xml', text },
    'soap: { operation: Get }',
    'namespaces: { m: "urn:m" }, arrays: ["m:R.m:item"], coerce: true',
  );
  assert.deepEqual((await run()).json, { 'm:R': { 'm:item': [1], free: true } });
});

test('answers in other charsets are understood', async (t) => {
  const text = Buffer.from(envelope('1.1', '<R>J\xfcrgen</R>'), 'latin1');
  const { run } = await calling(t, { type: 'text/xml; charset=iso-8859-1', text }, add);
  assert.deepEqual((await run()).json, { R: 'Jürgen' });
});

test('a one-way answer without a body is nothing', async (t) => {
  const { run } = await calling(t, { status: 202 }, add);
  assert.equal((await run()).status, 204);
});

for (const status of [500, 200]) {
  test(`a fault with status ${status} is the error soap-fault, whose parts are known to the flow`, async (t) => {
    const { run } = await calling(
      t,
      { status, type: 'text/xml', text: fault11 },
      `${add}, fallback: [ { transform: '{ "code": $error.code, "kind": $error.kind, "facts": $error.facts }' } ]`,
    );
    assert.deepEqual((await run()).json, {
      code: 'soap-fault',
      kind: 'permanent',
      facts: { endpoint: 'calc', faultCode: 'Client', faultString: 'No such sku', detail: { sku: 'A1' }, status },
    });
  });
}

test('an uncaught fault answers 502, without the detail; of a Server fault nobody knows what it did', async (t) => {
  const client = problemOf(await (await calling(t, { status: 500, type: 'text/xml', text: fault11 }, add)).run());
  assert.deepEqual([client.status, client.code, client.outcome], [502, 'soap-fault', 'none']);
  assert.match(client.detail, /Client: No such sku/);
  const server = await calling(
    t,
    { status: 500, type: 'application/soap+xml', text: fault12 },
    add,
    'version: "1.2", namespace: "urn:calc"',
  );
  const failed = problemOf(await server.run());
  assert.deepEqual([failed.status, failed.code, failed.outcome], [502, 'soap-fault', 'unknown']);
  assert.match(failed.detail, /Server: Out of order/);
});

test('a status without a fault is an error of HTTP, unless it is expected', async (t) => {
  const html = { status: 500, type: 'text/html', text: '<h1>Oops</h1>' };
  assert.equal(problemOf(await (await calling(t, html, add)).run()).code, 'http-500');
  const broken = { status: 400, type: 'text/xml', text: '<oops' };
  assert.equal(problemOf(await (await calling(t, broken, add)).run()).code, 'http-400');
  const plain = { status: 500, type: 'text/xml', text: envelope('1.1', '<R/>') };
  assert.equal(problemOf(await (await calling(t, plain, add)).run()).code, 'http-500');
  assert.deepEqual((await (await calling(t, plain, `expect: [5xx], ${add}`)).run()).json, { R: '' });
  assert.equal(problemOf(await (await calling(t, { status: 404 }, add)).run()).code, 'http-404');
});

for (const [what, answer] of [
  ['not an envelope', { type: 'text/xml', text: '<html/>' }],
  ['not well-formed', { type: 'text/xml', text: '<S:Envelope' }],
  ['with a document type', { type: 'text/xml', text: `<!DOCTYPE x>${envelope('1.1', '<R/>').slice(21)}` }],
  ['with attachments', { type: 'multipart/related; boundary=x', text: '--x--' }],
  ['without a content type', { text: 'hello' }],
] as const) {
  test(`an answer that is ${what} is an invalid response`, async (t) => {
    const { run } = await calling(t, answer, add);
    const problem = problemOf(await run());
    assert.deepEqual([problem.status, problem.code], [502, 'invalid-response']);
  });
}

test('a body or a name that cannot be an element is refused before anything is sent', async (t) => {
  const answer = { type: 'text/xml', text: envelope('1.1', '<R/>') };
  for (const call of [
    'soap: {}, body: text',
    'soap: { operation: "${{ name }}" }, body: a',
    'soap: { operation: "${{ 7 }}" }, body: a',
    'soap: { operation: Add, action: "${{ name }}" }, body: a',
    'soap: { operation: Add }, body: { "a b": 1 }',
    'soap: { operation: Add }, body: { a: "${{ control }}" }',
  ]) {
    const { far, run } = await calling(t, answer, call);
    const reply = await run({ name: 'a><evil/>\r\nx: y', control: 'a\u0000b' });
    assert.match(problemOf(reply).code, /^(bad-request|malformed)$/, `${call}: ${reply.text}`);
    assert.equal(far.requests.length, 0);
  }
});

test('a service at several places: by load balancing, or where the call says; a fault is no ill health', async (t) => {
  const serve = (name: string): Promise<Service> =>
    startService(t, (_, response) => {
      if (name === 'faulty') response.writeHead(500, { 'content-type': types['1.1'] }).end(fault11);
      else response.writeHead(200, { 'content-type': types['1.1'] }).end(envelope('1.1', `<at>${name}</at>`));
    });
  const [one, two, faulty] = await Promise.all([serve('one'), serve('two'), serve('faulty')]);
  const running = await startIntegration(
    t,
    integrationOf(
      {
        main: {
          from: 'http: { path: /run }',
          steps: '- call: { endpoint: calc, soap: { operation: Where, target: "${{ to }}" } }',
        },
      },
      `calc:
  soap:
    urls:
      - { name: one, url: "${one.url}/a" }
      - { name: two, url: "${two.url}/b" }
      - { name: faulty, url: "${faulty.url}" }
    loadBalance: failover
    ejection: { failures: 1 }`,
    ),
  );
  const run = async (body: unknown) => (await post(`${running.url}/run`, body)).json;
  assert.deepEqual([await run({}), await run({ to: 'two' })], [{ at: 'one' }, { at: 'two' }]);
  assert.deepEqual([one.requests[0]?.url, two.requests[0]?.url], ['/a', '/b']);
  for (const _ of [1, 2]) assert.equal(((await run({ to: 'faulty' })) as { code: string }).code, 'soap-fault');
  assert.ok(!running.log.lines.some((line) => line.message === 'target ejected'));
});
