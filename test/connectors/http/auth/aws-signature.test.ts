import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { awsDate, awsSignature, sha256 } from '../../../../connectors/http/auth/aws-signature.ts';
import { integrationOf, post, request, startIntegration, startService } from '../support.ts';

const credentials = {
  region: 'us-east-1',
  service: 'service',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};

const token =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';

const unreserved = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

interface Case {
  readonly request: string;
  readonly signature: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };

/** The test suite that AWS publishes for Signature Version 4: 2015-08-30T12:36:00Z, `example.amazonaws.com`. */
const suite: Readonly<Record<string, Case>> = {
  'get-vanilla': { request: 'GET /', signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
  'get-unreserved': {
    request: `GET /${unreserved}`,
    signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  },
  'get-vanilla-empty-query-key': {
    request: 'GET /?Param1=value1',
    signature: 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
  },
  'get-vanilla-query-order-key': {
    request: 'GET /?Param1=value2&Param1=Value1',
    signature: 'eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1',
  },
  'get-vanilla-query-order-key-case': {
    request: 'GET /?Param2=value2&Param1=value1',
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  'get-vanilla-query-order-value': {
    request: 'GET /?Param1=value2&Param1=value1',
    signature: '5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694',
  },
  'get-vanilla-query-unreserved': {
    request: `GET /?${unreserved}=${unreserved}`,
    signature: '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
  },
  'get-vanilla-utf8-query': {
    request: 'GET /?\u1234=bar',
    signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  },
  'get-header-key-duplicate': {
    request: 'GET /',
    headers: { 'my-header1': 'value2,value2,value1' },
    signature: 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
  },
  'get-header-value-trim': {
    request: 'GET /',
    headers: { 'my-header1': ' value1', 'my-header2': ' "a   b   c"' },
    signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  'post-vanilla': { request: 'POST /', signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b' },
  'post-vanilla-query': {
    request: 'POST /?Param1=value1',
    signature: '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
  },
  'post-header-key-sort': {
    request: 'POST /',
    headers: { 'my-header1': 'value1' },
    signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  'post-header-value-case': {
    request: 'POST /',
    headers: { 'my-header1': 'VALUE1' },
    signature: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  },
  'post-x-www-form-urlencoded': {
    request: 'POST /',
    headers: form,
    body: 'Param1=value1',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
  'post-sts-header-before': {
    request: 'POST /',
    headers: { 'x-amz-security-token': token },
    signature: '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
  },
  'get-relative-relative': {
    request: 'GET /example1/example2/../..',
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  'get-slash-pointless-dot': {
    request: 'GET /./example',
    signature: 'ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5',
  },
  'get-slashes': {
    request: 'GET //example//',
    signature: '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84',
  },
};

describe('AWS Signature Version 4', () => {
  for (const [name, { request: line, signature, headers = {}, body = '' }] of Object.entries(suite)) {
    it(name, () => {
      const [method = '', path = ''] = line.split(' ');
      const all = new Map([
        ['host', 'example.amazonaws.com'],
        ['x-amz-date', '20150830T123600Z'],
        ...Object.entries(headers),
      ]);
      const signed = [...all.keys()].sort().join(';');
      assert.equal(
        awsSignature({ method, path, headers: all, digest: sha256(body) }, credentials),
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signed}, Signature=${signature}`,
      );
    });
  }

  it('writes dates as AWS does', () => {
    assert.equal(awsDate(Date.UTC(2015, 7, 30, 12, 36, 0, 7)), '20150830T123600Z');
  });
});

describe('an endpoint with `auth: aws`', () => {
  const calling = (url: string, service: string, step: string): string =>
    integrationOf(
      { main: { from: 'http: { path: /run }', steps: step } },
      `far: { http: { url: "${url}/base", auth: { aws: { region: eu-central-1, service: ${service}, accessKeyId: AKIDEXAMPLE, secretAccessKey: canary-key, sessionToken: tok } } } }`,
    );

  for (const service of ['execute-api', 's3']) {
    it(`signs what goes over the wire, for ${service}`, async (t) => {
      const far = await startService(t, (_, response) => response.end('{}'));
      const step =
        '- call: { endpoint: far, http: { method: PUT, path: "/a b/${{ $.key }}", query: { z: "1 2", a: "(x)" }, headers: { X-Amz-Meta-A: "b  c", Authorization: mine } } }';
      const running = await startIntegration(t, calling(far.url, service, step.replace('/a b/', '/a%20b/')));
      const reply = await post(`${running.url}/run`, { key: 'é!(1)' });
      assert.equal(reply.status, 200, reply.text);
      const [request] = far.requests;
      const given = request?.headers ?? {};
      const signed = /SignedHeaders=([^,]+)/.exec(String(given.authorization))?.[1]?.split(';') ?? [];
      assert.deepEqual(signed, [
        'content-type',
        'host',
        ...(service === 's3' ? ['x-amz-content-sha256'] : []),
        'x-amz-date',
        'x-amz-meta-a',
        'x-amz-security-token',
      ]);
      // As the service does it, from what arrived.
      const headers = new Map(signed.map((name) => [name, String(given[name])]));
      const digest = sha256(request?.body ?? '');
      const { method = '', url = '' } = request ?? {};
      const own = { region: 'eu-central-1', service, accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'canary-key' };
      assert.equal(given.authorization, awsSignature({ method, path: url, headers, digest }, own));
      assert.equal(given['x-amz-security-token'], 'tok');
      assert.equal(given['x-amz-content-sha256'], service === 's3' ? digest : undefined);
      assert.doesNotMatch(JSON.stringify(running.log.lines), /canary/);
    });
  }

  it('signs a call without a body, and one whose body streams in', async (t) => {
    const far = await startService(t, (_, response) => response.end('{}'));
    const get = await startIntegration(
      t,
      calling(far.url, 's3', '- call: { endpoint: far, http: { method: GET, path: /x } }'),
    );
    await post(`${get.url}/run`, { a: 1 });
    assert.equal(far.requests[0]?.headers['x-amz-content-sha256'], sha256(''));
    const put = await startIntegration(
      t,
      calling(far.url, 's3', '- call: { endpoint: far, http: { method: PUT, path: /x } }'),
    );
    const large = 'x'.repeat(200_000);
    await request(`${put.url}/run`, { headers: { 'content-type': 'text/plain' }, body: large });
    assert.equal(far.requests[1]?.body.length, large.length);
    assert.equal(far.requests[1]?.headers['x-amz-content-sha256'], sha256(large));
  });
});
