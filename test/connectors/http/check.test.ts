import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findings, integrationOf } from './support.ts';

const source = (options: string): string =>
  integrationOf({ main: { from: `http: { ${options} }`, steps: '- stop: {}' } });

const endpoint = (options: string): string =>
  integrationOf(
    { main: { from: 'http: { path: /a }', steps: '- send: { endpoint: far, http: {} }' } },
    `far:\n  http: { ${options} }`,
  );

const mistakes: readonly (readonly [what: string, yaml: string, pointer: string, message: RegExp])[] = [
  [
    'a parameter inside a segment',
    source('path: "/a/x{id}"'),
    '/flows/main/from/http/path',
    /neither a literal segment/,
  ],
  ['a parameter twice', source('path: "/{id}/{id}"'), '/flows/main/from/http/path', /twice/],
  ['a rest that is not last', source('path: "/{rest+}/a"'), '/flows/main/from/http/path', /only stand at the end/],
  ['a query in the path', source('path: "/a?b=1"'), '/flows/main/from/http/path', /A path has no `\?`/],
  ['a dot segment', source('path: "/a/../b"'), '/flows/main/from/http/path', /`\.` and `\.\.`/],
  ['broken percent-encoding', source('path: "/a%zz"'), '/flows/main/from/http/path', /percent-encoded/],
  ['a path without a slash', source('path: a'), '/flows/main/from/http/path', /begins with `\/`/],
  ['an unknown method', source('path: /a, method: FETCH'), '/flows/main/from/http/method', /FETCH/],
  [
    'credentials for everybody',
    source('path: /a, cors: { origins: ["*"], credentials: true }'),
    '/flows/main/from/http/cors/origins',
    /name the origins/,
  ],
  [
    'an origin with a path',
    source('path: /a, cors: { origins: ["https://a.example/x"] }'),
    '/flows/main/from/http/cors/origins/0',
    /`https:\/\/a\.example`/,
  ],
  ['another protocol', endpoint('url: "ftp://a"'), '/endpoints/far/http/url', /`http:` or `https:`/],
  [
    'credentials in the URL',
    endpoint('url: "http://u:p@a"'),
    '/endpoints/far/http/url',
    /`auth: \{ basic: \{ username: …, password: /,
  ],
  ['a query in the URL', endpoint('url: "http://a/?x=1"'), '/endpoints/far/http/url', /use `query`/],
  [
    'a header name that is none',
    endpoint('url: "http://a", headers: { "x a": b }'),
    '/endpoints/far/http/headers/x a',
    /not a header name/,
  ],
  [
    'a header of the connection',
    endpoint('url: "http://a", headers: { Connection: close }'),
    '/endpoints/far/http/headers/Connection',
    /set by the connection/,
  ],
  [
    'a header that breaks the line',
    endpoint('url: "http://a", headers: { x: "a\\nb" }'),
    '/endpoints/far/http/headers/x',
    /line break/,
  ],
  [
    'an auth header that is none',
    endpoint('url: "http://a", auth: { header: { name: "x y", value: k } }'),
    '/endpoints/far/http/auth/header/name',
    /not a header name/,
  ],
  [
    'a user name with a colon',
    endpoint('url: "http://a", auth: { basic: { username: "a:b", password: c } }'),
    '/endpoints/far/http/auth/basic/username',
    /colon/,
  ],
  [
    'a token with a line break',
    endpoint('url: "http://a", auth: { bearer: { token: "a\\n" } }'),
    '/endpoints/far/http/auth/bearer/token',
    /line break/,
  ],
  [
    'two kinds of auth',
    endpoint('url: "http://a", auth: { bearer: { token: a }, header: { name: x, value: y } }'),
    '/endpoints/far/http/auth/header',
    /Only one of/,
  ],
  [
    'TLS without TLS',
    endpoint('url: "http://a", tls: { rejectUnauthorized: false }'),
    '/endpoints/far/http/tls',
    /no TLS over `http:`/,
  ],
];

for (const [what, yaml, pointer, message] of mistakes) {
  test(`${what} is one finding, at its place`, async () => {
    const found = await findings(yaml);
    assert.equal(found.length, 1, found.join('\n'));
    const [place = '', ...text] = (found[0] ?? '').split(': ');
    assert.equal(place, pointer);
    assert.match(text.join(': '), message);
  });
}

test('two flows that serve the same method and path are found before anything starts', async () => {
  const steps = '- stop: {}';
  const found = await findings(
    integrationOf({
      one: { from: 'http: { method: [GET, POST], path: "/a/{x}" }', steps },
      two: { from: 'http: { method: POST, path: "/a/{y}" }', steps },
      other: { from: 'http: { method: PUT, path: "/a/{x}" }', steps },
    }),
  );
  assert.equal(found.length, 1, found.join('\n'));
  assert.match(found[0] ?? '', /POST \/a/);
});
