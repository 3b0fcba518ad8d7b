import assert from 'node:assert/strict';
import { formatNamed } from '../src/format/index.ts';
import { jsonOrder, mappedOf, partNames, partOf, xmlOf, xmlOrder } from './payload.ts';

/** One request of the load; all requests of a slice are the same. */
export interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/**
 * One job that an integration does. Every system that is measured does the same job: the request comes over HTTP, the
 * work is done, the system behind is called, and the caller gets its answer.
 */
export interface Scenario {
  /** As on the command line; the integration is `integrations/<name>.yaml`. */
  readonly name: string;
  readonly title: string;
  ask(bytes: number): Ask;
  /** Throws where the answer is not the right one. */
  check(reply: Reply, bytes: number): void;
}

// The reader of the formats, which other systems' documents are held against too.
const readXml = (text: string): unknown => formatNamed('xml')?.read(Buffer.from(text), undefined);

const json = 'application/json';
const xml = 'application/xml';

const post = (type: string, body: string, more: Readonly<Record<string, string>> = {}): Ask => ({
  method: 'POST',
  path: '/orders',
  headers: { 'content-type': type, ...more },
  body,
});

function checkJson(reply: Reply, expected: unknown): void {
  assert.equal(reply.status, 200);
  assert.match(reply.contentType, /^application\/json/);
  assert.deepEqual(JSON.parse(reply.body), expected);
}

const relayed = (bytes: number) => JSON.stringify(jsonOrder(bytes));

export const scenarios: readonly Scenario[] = [
  {
    name: 'pass-through',
    title: 'Pass-through',
    ask: (bytes) => post(json, relayed(bytes)),
    check: (reply, bytes) => {
      assert.equal(reply.status, 200);
      assert.match(reply.contentType, /^application\/json/);
      assert.equal(reply.body, relayed(bytes));
    },
  },
  {
    name: 'header-router',
    title: 'Header router',
    ask: (bytes) => post(json, relayed(bytes), { 'x-region': 'europe' }),
    check: (reply, bytes) => checkJson(reply, { via: 'europe', ...jsonOrder(bytes) }),
  },
  {
    name: 'content-router',
    title: 'Content-based router',
    ask: (bytes) => post(json, relayed(bytes)),
    check: (reply, bytes) => checkJson(reply, { via: 'europe', ...jsonOrder(bytes) }),
  },
  {
    name: 'json-to-json',
    title: 'JSON → JSON mapping',
    ask: (bytes) => post(json, relayed(bytes)),
    check: (reply, bytes) => checkJson(reply, mappedOf(jsonOrder(bytes))),
  },
  {
    name: 'json-to-xml',
    title: 'JSON → XML',
    ask: (bytes) => post(json, relayed(bytes)),
    check: (reply, bytes) => {
      assert.equal(reply.status, 200);
      assert.match(reply.contentType, /^application\/xml/);
      assert.deepEqual(readXml(reply.body), readXml(xmlOf(jsonOrder(bytes)))); // however it is laid out
    },
  },
  {
    name: 'xml-to-json',
    title: 'XML → JSON',
    ask: (bytes) => post(xml, xmlOf(xmlOrder(bytes))),
    check: (reply, bytes) => checkJson(reply, xmlOrder(bytes)),
  },
  {
    name: 'scatter-gather',
    title: 'Scatter-gather, 3 calls',
    ask: (bytes) => ({ method: 'GET', path: `/offers/${Math.round(bytes / 3)}`, headers: {}, body: '' }),
    check: (reply, bytes) => {
      const part = (name: string) => [name, partOf(name, Math.round(bytes / 3))];
      checkJson(reply, Object.fromEntries(partNames.map(part)));
    },
  },
];
