import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envelopeReader } from '../../../connectors/soap/envelope.ts';
import { actionOf, headersOfAction } from '../../../connectors/soap/versions.ts';
import { writeEnvelope, writeFault } from '../../../connectors/soap/write.ts';
import { refuses, utf8 } from '../../format/support.ts';

const readEnvelope = (bytes: Uint8Array, options = {}) => envelopeReader(options)(bytes, undefined);

const uris = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
} as const;
const versions = ['1.1', '1.2'] as const;

const envelope = (version: '1.1' | '1.2', prefix: string, inside: string): Uint8Array => {
  const p = prefix === '' ? '' : `${prefix}:`;
  const xmlns = prefix === '' ? 'xmlns' : `xmlns:${prefix}`;
  return utf8(
    `<?xml version="1.0"?>\n<${p}Envelope ${xmlns}="${uris[version]}">\n <${p}Body>${inside}</${p}Body>\n</${p}Envelope>`,
  );
};

for (const version of versions) {
  for (const prefix of ['soap', 'S', 'env', '']) {
    test(`a ${version} envelope is known by its namespace, with the prefix "${prefix}"`, () => {
      const inside = '<m:AddResponse xmlns:m="urn:calc"><m:AddResult>3</m:AddResult></m:AddResponse>';
      assert.deepEqual(readEnvelope(envelope(version, prefix, inside)), {
        version,
        header: undefined,
        body: { AddResponse: { AddResult: '3' } },
      });
    });
  }

  test(`a ${version} envelope survives being written and read`, () => {
    const text = writeEnvelope({
      version,
      body: { 'm:Add': { 'm:a': 1, 'm:b': { '@m:k': 'x', '#text': '<2>' } } },
      header: { 'm:tx': { '@soap:mustUnderstand': '1', '#text': '7' } },
      namespaces: { m: 'urn:calc' },
    });
    const expected = {
      version,
      header: { tx: { '@mustUnderstand': '1', '#text': '7' } },
      body: { Add: { a: '1', b: { '@k': 'x', '#text': '<2>' } } },
    };
    assert.deepEqual(readEnvelope(utf8(text)), expected);
  });

  test(`a ${version} fault survives being written and read`, () => {
    const parts = { string: 'No <such> sku', actor: 'urn:stock', detail: { 'e:sku': 'A1' } };
    const text = writeFault({ version, code: 'Client', ...parts, namespaces: { e: 'urn:e', '': 'urn:d' } });
    const fault = { code: 'Client', string: 'No <such> sku', actor: 'urn:stock', detail: { sku: 'A1' } };
    assert.deepEqual(readEnvelope(utf8(text)), { version, header: undefined, body: { Fault: fault }, fault });
  });

  test(`an empty Body of ${version} is nothing`, () => {
    assert.equal(readEnvelope(envelope(version, 's', '')).body, undefined);
    assert.equal(readEnvelope(envelope(version, 's', '\n  ')).body, undefined);
    assert.equal(readEnvelope(utf8(writeEnvelope({ version, body: undefined }))).body, undefined);
  });
}

test('namespaces that are declared keep their prefix, others lose theirs', () => {
  const inside = '<m:R xmlns:m="urn:m" xmlns:n="urn:n" m:k="1" n:k="2"><n:x/><m:y/></m:R>';
  const options = { namespaces: { c: 'urn:m' } };
  assert.deepEqual(readEnvelope(envelope('1.1', 's', inside), options).body, {
    'c:R': { '@c:k': '1', '@k': '2', x: '', 'c:y': '' },
  });
});

test('attributes that would collide without prefix keep it', () => {
  const inside = '<R xmlns:n="urn:n" xmlns:i="urn:i" k="1" n:k="2" xml:lang="en" i:type="n:T"/>';
  assert.deepEqual(readEnvelope(envelope('1.1', 's', inside)).body, {
    R: { '@k': '1', '@n:k': '2', '@xml:lang': 'en', '@type': 'n:T' },
  });
});

test('arrays are paths from inside Body', () => {
  const inside = '<m:R xmlns:m="urn:m"><m:i>1</m:i></m:R>';
  assert.deepEqual(readEnvelope(envelope('1.2', 's', inside), { arrays: ['R.i'] }).body, {
    R: { i: ['1'] },
  });
});

test('a payload may call its own elements Fault, Body or Envelope', () => {
  const inside = '<Fault xmlns="urn:other"><Body/><Envelope/></Fault>';
  const read = readEnvelope(envelope('1.1', 's', inside));
  assert.equal(read.fault, undefined);
  assert.deepEqual(read.body, { Fault: { Body: '', Envelope: '' } });
});

test('a payload prefix called soap does not disturb the envelope', () => {
  const text = writeEnvelope({
    version: '1.1',
    body: { 'soap:Wash': 1 },
    namespaces: { soap: 'urn:bathroom', soap11: 'urn:x' },
  });
  assert.deepEqual(readEnvelope(utf8(text), { namespaces: { soap11: 'urn:bathroom' } }).body, {
    'soap11:Wash': '1',
  });
});

test('the parts of a 1.1 fault are found with and without namespace', () => {
  for (const p of ['', 's:']) {
    const inside = `<s:Fault><${p}faultcode>s:Server.Db</${p}faultcode><${p}faultstring xml:lang="de"> kaputt </${p}faultstring></s:Fault>`;
    assert.deepEqual(readEnvelope(envelope('1.1', 's', inside)).fault, { code: 'Server.Db', string: 'kaputt' });
  }
});

test('of a 1.2 fault the innermost subcode and the English reason are taken', () => {
  const code =
    '<s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>m:A</s:Value><s:Subcode><s:Value>m:B</s:Value></s:Subcode></s:Subcode></s:Code>';
  const reason = '<s:Reason><s:Text xml:lang="de">Nein</s:Text><s:Text xml:lang="en-GB">No</s:Text></s:Reason>';
  const inside = `<s:Fault>${code}${reason}<s:Node>urn:n</s:Node></s:Fault>`;
  assert.deepEqual(readEnvelope(envelope('1.2', 's', inside)).fault, {
    code: 'Server',
    subcode: 'B',
    string: 'No',
    actor: 'urn:n',
  });
});

test('a fault says what it can when it is incomplete', () => {
  assert.deepEqual(readEnvelope(envelope('1.1', 's', '<s:Fault/>')).fault, { code: 'Server', string: '' });
  assert.deepEqual(readEnvelope(envelope('1.2', 's', '<s:Fault/>')).fault, { code: 'Server', string: '' });
});

test('what is no envelope is refused', () => {
  refuses(() => readEnvelope(utf8('<html/>')), 'malformed', '<html>');
  refuses(
    () => readEnvelope(utf8('<e:Envelope xmlns:e="urn:other"><e:Body/></e:Envelope>')),
    'malformed',
    '<Envelope>',
  );
  refuses(() => readEnvelope(utf8(`<e:Envelope xmlns:e="${uris['1.1']}"/>`)), 'malformed', 'one Body');
  refuses(
    () => readEnvelope(utf8(`<e:Envelope xmlns:e="${uris['1.1']}"><Body/></e:Envelope>`)),
    'malformed',
    'one Body',
  );
  refuses(
    () => readEnvelope(utf8(`<e:Envelope xmlns:e="${uris['1.1']}"><e:Body/><e:Body/></e:Envelope>`)),
    'malformed',
    'one Body',
  );
  refuses(
    () => readEnvelope(utf8(`<!DOCTYPE a><e:Envelope xmlns:e="${uris['1.1']}"><e:Body/></e:Envelope>`)),
    'malformed',
    'document type',
  );
});

test('the headers name the action as each version wants it', () => {
  assert.deepEqual(headersOfAction('1.1', 'urn:calc#Add'), {
    'content-type': 'text/xml; charset=utf-8',
    soapaction: '"urn:calc#Add"',
  });
  assert.deepEqual(headersOfAction('1.1'), { 'content-type': 'text/xml; charset=utf-8', soapaction: '""' });
  assert.deepEqual(headersOfAction('1.2', 'urn:a"b'), {
    'content-type': 'application/soap+xml; charset=utf-8; action="urn:a\\"b"',
  });
  assert.deepEqual(headersOfAction('1.2'), { 'content-type': 'application/soap+xml; charset=utf-8' });
  refuses(() => headersOfAction('1.1', 'a\r\nx: y'), 'bad-request', 'ASCII');
});

test('the action is read as each version names it', () => {
  assert.equal(actionOf('1.1', 'text/xml', '"urn:calc#Add"'), 'urn:calc#Add');
  assert.equal(actionOf('1.1', 'text/xml', 'urn:calc#Add'), 'urn:calc#Add');
  assert.equal(actionOf('1.1', 'text/xml; action="urn:x"', '""'), undefined);
  assert.equal(actionOf('1.1', 'text/xml', undefined), undefined);
  assert.equal(actionOf('1.2', 'application/soap+xml; charset=utf-8; action="urn:a\\"b"', '"urn:x"'), 'urn:a"b');
  assert.equal(actionOf('1.2', 'application/soap+xml;action=urn:a', undefined), 'urn:a');
  assert.equal(actionOf('1.2', 'application/soap+xml', '"urn:x"'), undefined);
});
