import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { envelopeReader, type SoapEnvelope } from '../../../connectors/soap/envelope.ts';
import { eventually } from '../../support/eventually.ts';
import { findings, integrationOf, type Reply, request, startIntegration } from '../http/support.ts';

const uris = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
} as const;
const types = { '1.1': 'text/xml', '1.2': 'application/soap+xml' } as const;
const versions = ['1.1', '1.2'] as const;
type Version = (typeof versions)[number];

const calculator = `
- switch:
    cases:
      - when: $source.operation = 'Add'
        steps: [ { transform: '{ "AddResponse": { "AddResult": $number(Add.a) + $number(Add.b) } }' } ]
      - when: $source.operation = 'Tell'
        steps: [ { transform: '{ "Told": { "action": $source.action, "version": $source.version, "header": $source.header } }' } ]
      - when: $source.operation = 'Quiet'
        steps: [ { stop: {} } ]
      - when: $source.operation = 'Refuse'
        steps: [ { fail: { code: sold-out, status: 409, detail: "no <tea> left" } } ]
      - when: $source.operation = 'Reject'
        steps: [ { respond: { status: 422, body: { reason: { code: 7 } } } } ]
      - when: $source.operation = 'Break'
        steps: [ { respond: { status: 503, body: come back later } } ]
    otherwise:
      - transform: '$number("x" & $source.operation)'
`;

const start = (t: TestContext, options = '', steps = calculator) =>
  startIntegration(
    t,
    integrationOf({ calc: { from: `soap: { path: /calc, namespace: "urn:calc"${options} }`, steps } }),
  );

const envelope = (version: Version, body: string, header = ''): string =>
  `<?xml version="1.0"?><S:Envelope xmlns:S="${uris[version]}">${header}<S:Body>${body}</S:Body></S:Envelope>`;

interface Asked {
  readonly version?: Version;
  readonly type?: string;
  readonly header?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string | Buffer;
}

async function ask(
  { url }: { readonly url: string },
  body: string,
  options: Asked = {},
): Promise<Omit<Reply, 'json'> & { readonly envelope: SoapEnvelope }> {
  const { version = '1.1', type = types[version], header, headers, text = envelope(version, body, header) } = options;
  const reply = await request(`${url}/calc`, { headers: { 'content-type': type, ...headers }, body: text });
  const read = envelopeReader()(Buffer.from(reply.text), undefined);
  return { status: reply.status, headers: reply.headers, text: reply.text, envelope: read };
}

const detailOf = (reply: { readonly envelope: SoapEnvelope }): Readonly<Record<string, unknown>> => {
  const { error } = (reply.envelope.fault?.detail ?? {}) as { error?: Record<string, unknown> };
  assert.ok(error, JSON.stringify(reply.envelope));
  return error;
};

for (const version of versions) {
  test(`a ${version} request is answered in its version, whatever prefixes it has`, async (t) => {
    const running = await start(t);
    for (const body of [
      '<m:Add xmlns:m="urn:calc"><m:a>1</m:a><m:b>2</m:b></m:Add>',
      '<Add xmlns="urn:calc"><a>1</a><b>2</b></Add>',
      '<x:Add xmlns:x="urn:calc"><a>1</a><b>2</b></x:Add>',
    ]) {
      const reply = await ask(running, body, { version });
      assert.equal(reply.status, 200);
      assert.equal(reply.headers['content-type'], `${types[version]}; charset=utf-8`);
      assert.deepEqual(reply.envelope, {
        version,
        header: undefined,
        body: { AddResponse: { AddResult: '3' } },
      });
      assert.match(reply.text, /urn:calc/);
    }
  });
}

test('operation, action, version and header blocks are known to the flow', async (t) => {
  const running = await start(t);
  const header = '<S:Header><h:Who xmlns:h="urn:h">Ann</h:Who></S:Header>';
  const one = await ask(running, '<Tell/>', { header, headers: { soapaction: '"urn:calc#Tell"' } });
  assert.deepEqual(one.envelope.body, { Told: { action: 'urn:calc#Tell', version: '1.1', header: { Who: 'Ann' } } });
  const two = await ask(running, '<Tell/>', {
    version: '1.2',
    type: 'application/soap+xml; charset=utf-8; action="urn:calc#Tell"',
  });
  assert.deepEqual(two.envelope.body, { Told: { action: 'urn:calc#Tell', version: '1.2' } });
});

test('a flow that says nothing answers 202', async (t) => {
  const running = await start(t);
  const reply = await request(`${running.url}/calc`, {
    headers: { 'content-type': 'text/xml' },
    body: envelope('1.1', '<Quiet/>'),
  });
  assert.deepEqual([reply.status, reply.text], [202, '']);
});

for (const [operation, code, error, text] of [
  ['Refuse', 'Client', 'sold-out', 'no <tea> left'],
  ['Unheard', 'Server', 'expression', undefined],
] as const) {
  test(`the error ${error} is a ${code} fault in either version`, async (t) => {
    const running = await start(t);
    for (const version of versions) {
      const reply = await ask(running, `<${operation}/>`, { version });
      assert.equal(reply.status, version === '1.2' && code === 'Client' ? 400 : 500);
      assert.equal(reply.headers['content-type'], `${types[version]}; charset=utf-8`);
      assert.equal(reply.envelope.fault?.code, code);
      if (text !== undefined) assert.equal(reply.envelope.fault?.string, text);
      const detail = detailOf(reply);
      assert.deepEqual([detail['code'], detail['outcome']], [error, 'none']);
      assert.equal(detail['id'], reply.headers['x-request-id']);
      assert.doesNotMatch(reply.text, /\.ts:|node:/);
    }
  });
}

test('a reply with a status of 400 or more is a fault with the body as its detail', async (t) => {
  const running = await start(t);
  const client = await ask(running, '<Reject/>', { version: '1.2' });
  assert.equal(client.status, 400);
  assert.deepEqual(client.envelope.fault, {
    code: 'Client',
    string: 'The service answered 422',
    detail: { reason: { code: '7' } },
  });
  const server = await ask(running, '<Break/>');
  assert.equal(server.status, 500);
  assert.deepEqual(server.envelope.fault, { code: 'Server', string: 'come back later' });
});

test('while its source is paused callers get a Server fault, and when they may ask again', async (t) => {
  const running = await start(t);
  const source = running.runtime.sourceOf('calc');
  await source?.pause();
  const reply = await ask(running, '<Tell/>');
  assert.deepEqual([reply.envelope.fault?.code, detailOf(reply)['code']], ['Server', 'paused']);
  assert.equal(reply.headers['retry-after'], '30');
  await source?.resume();
  assert.equal((await ask(running, '<Tell/>')).status, 200);
});

test('a reply that is no element is a Server fault', async (t) => {
  const running = await start(t, '', '- respond: { body: [1, 2] }');
  const reply = await ask(running, '<Add/>');
  assert.deepEqual([reply.status, reply.envelope.fault?.code], [500, 'Server']);
  assert.match(reply.envelope.fault?.string ?? '', /AddResponse/);
});

const refused: readonly (readonly [what: string, asked: Asked, status: number, fault: string, error: string])[] = [
  ['XML that is not well-formed', { text: '<S:Envelope>' }, 500, 'Client', 'malformed'],
  ['XML that is no envelope', { text: '<order/>' }, 500, 'Client', 'malformed'],
  ['an envelope of another time', { text: '<E:Envelope xmlns:E="urn:soap:9"/>' }, 500, 'VersionMismatch', 'malformed'],
  ['a document type', { text: `<!DOCTYPE x>${envelope('1.1', '<Add/>').slice(21)}` }, 500, 'Client', 'malformed'],
  [
    '10,000 levels',
    { text: envelope('1.1', '<a>'.repeat(10_000) + '</a>'.repeat(10_000)) },
    500,
    'Client',
    'malformed',
  ],
  [
    'bytes that are not UTF-8',
    { text: Buffer.from(envelope('1.1', '<Add>\xff</Add>'), 'latin1') },
    500,
    'Client',
    'malformed',
  ],
  [
    'a version that the content type does not announce',
    { text: envelope('1.2', '<Add/>') },
    500,
    'VersionMismatch',
    'malformed',
  ],
  ['another content type', { type: 'application/json', text: '{}' }, 415, 'Client', 'unsupported-media-type'],
  ['two elements in the Body', { text: envelope('1.1', '<Add/><Tell/>') }, 500, 'Client', 'bad-request'],
  ['the same element twice', { text: envelope('1.1', '<Add/><Add/>') }, 500, 'Client', 'bad-request'],
  ['a body over the limit', { text: envelope('1.1', `<Add>${'x'.repeat(110_000)}</Add>`) }, 413, 'Client', 'too-large'],
];

for (const [what, asked, status, fault, error] of refused) {
  test(`${what}: the fault ${fault}, and the service goes on`, async (t) => {
    const running = await start(t, ', maxBody: 100kb');
    const reply = await ask(running, '', asked);
    assert.deepEqual([reply.status, reply.envelope.fault?.code, detailOf(reply)['code']], [status, fault, error]);
    assert.equal(reply.envelope.version, '1.1');
    assert.equal((await ask(running, '<Add><a>1</a><b>1</b></Add>')).status, 200);
    await eventually('nothing is under way', () => running.runtime.inFlight === 0);
  });
}

test('a header block that must be understood and is not is refused, unless it is for somebody else', async (t) => {
  const running = await start(t, ', understands: [Known]');
  const block = (name: string, attributes: string) =>
    `<S:Header><h:${name} xmlns:h="urn:h" ${attributes}>x</h:${name}></S:Header>`;
  const add = '<Add><a>1</a><b>1</b></Add>';
  for (const [version, attributes] of [
    ['1.1', 'S:mustUnderstand="1"'],
    ['1.1', 'S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next"'],
    ['1.2', 'S:mustUnderstand="true"'],
    ['1.2', 'S:mustUnderstand="true" S:role="http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"'],
  ] as const) {
    const reply = await ask(running, add, { version, header: block('Strange', attributes) });
    assert.deepEqual([reply.status, reply.envelope.fault?.code], [500, 'MustUnderstand'], attributes);
    assert.match(reply.envelope.fault?.string ?? '', /Strange/);
    assert.equal((await ask(running, add, { version, header: block('Known', attributes) })).status, 200);
  }
  for (const [version, attributes] of [
    ['1.1', ''],
    ['1.1', 'S:mustUnderstand="0"'],
    ['1.1', 'S:mustUnderstand="1" S:actor="urn:somebody"'],
    ['1.2', 'S:mustUnderstand="true" S:role="http://www.w3.org/2003/05/soap-envelope/role/none"'],
  ] as const) {
    assert.equal((await ask(running, add, { version, header: block('Strange', attributes) })).status, 200, attributes);
  }
});

test('only the versions and operations that are named are served', async (t) => {
  const running = await start(t, ', versions: [1.2], operations: [Add]');
  assert.equal((await ask(running, '<Add><a>1</a><b>1</b></Add>', { version: '1.2' })).status, 200);
  const old = await ask(running, '<Add/>');
  assert.deepEqual([old.status, old.envelope.fault?.code], [500, 'VersionMismatch']);
  for (const body of ['<Quiet/>', '']) {
    const other = await ask(running, body, { version: '1.2' });
    assert.deepEqual([other.status, other.envelope.fault?.code], [400, 'Client']);
    assert.match(other.envelope.fault?.string ?? '', /there are Add/);
  }
});

test('GET is not served: there is no WSDL', async (t) => {
  const running = await start(t);
  const reply = await request(`${running.url}/calc?wsdl`);
  assert.deepEqual([reply.status, reply.headers.allow], [405, 'OPTIONS, POST']);
});

test('a soap endpoint can call a soap source, and pass a message on as it is', async (t) => {
  const far = await start(t);
  const near = await startIntegration(
    t,
    integrationOf(
      {
        calc: {
          from: 'soap: { path: /calc, namespace: "urn:calc" }',
          steps: '- call: { endpoint: far, soap: {} }',
        },
      },
      `far:\n  soap: { url: "${far.url}/calc", version: 1.2, namespace: "urn:calc" }`,
    ),
  );
  const reply = await ask(near, '<Add><a>20</a><b>22</b></Add>');
  assert.deepEqual([reply.status, reply.envelope.version], [200, '1.1']);
  assert.deepEqual(reply.envelope.body, { AddResponse: { AddResult: '42' } });
  const refusedThere = await ask(near, '<Refuse/>');
  assert.equal(refusedThere.envelope.fault?.code, 'Server');
  assert.equal(detailOf(refusedThere)['code'], 'soap-fault');
});

test('mistakes in the options are found while validating', async () => {
  const broken = integrationOf(
    {
      calc: {
        from: 'soap: { path: "/a/{x}y", namespaces: { "": "urn:calc" }, versions: [2.0], wsdl: yes }',
        steps: '- stop: {}',
      },
    },
    'far:\n  soap: { url: "http://u:p@a", namspace: "urn:x" }',
  );
  const found = await findings(broken);
  const at = (pointer: string) => found.filter((one) => one.startsWith(pointer));
  assert.equal(at('/flows/calc/from/soap/versions/0').length, 1);
  assert.equal(at('/flows/calc/from/soap/wsdl').length, 1);
  assert.match(at('/endpoints/far/soap/namspace')[0] ?? '', /namespace/);
  const again = await findings(
    integrationOf(
      { calc: { from: 'soap: { path: "/a/{x}y" }', steps: '- stop: {}' } },
      'far:\n  soap: { url: "http://u:p@a", namespaces: { "": "urn:x" } }',
    ),
  );
  assert.equal(again.length, 3, again.join('\n'));
  assert.match(again.join('\n'), /write `auth: \{ basic: /);
  assert.match(again.join('\n'), /neither a literal segment/);
  assert.match(again.join('\n'), /write `namespace`/);
});
