import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pool } from 'undici';
import { type Answer, call, collect, fail, post } from './http.ts';
import { mapped, order } from './order.ts';
import { readOrder, writeOrder } from './xml.ts';

/** What a program for one job does with a request. */
export type Job = (pool: Pool, request: IncomingMessage, response: ServerResponse) => void;

const json = 'application/json';

/** Answers 400 where the body cannot be read. */
function tried<T>(work: () => T, response: ServerResponse, then: (value: T) => void): void {
  let value: T;
  try {
    value = work();
  } catch (error) {
    response.writeHead(400).end(error instanceof Error ? error.message : '');
    return;
  }
  then(value);
}

function regionOf(country: string): string {
  if (country === 'US' || country === 'CA' || country === 'MX') return '/america';
  return country === 'DE' || country === 'FR' || country === 'UK' ? '/europe' : '/world';
}

const passThrough: Job = (pool, request, response) =>
  collect(request, response, (body) => post(pool, '/echo', request.headers['content-type'], body, response));

const headerRouter: Job = (pool, request, response) =>
  collect(request, response, (body) => {
    const region = request.headers['x-region'];
    const where = region === 'america' || region === 'europe' ? `/${region}` : '/world';
    post(pool, `${where}/echo`, request.headers['content-type'], body, response);
  });

const contentRouter: Job = (pool, request, response) =>
  collect(request, response, (body) =>
    tried(
      () => regionOf(order(body).customer.country),
      response,
      (where) => post(pool, `${where}/echo`, request.headers['content-type'], body, response),
    ),
  );

const jsonToJson: Job = (pool, request, response) =>
  collect(request, response, (body) =>
    tried(
      () => mapped(order(body)),
      response,
      (text) => post(pool, '/echo', json, text, response),
    ),
  );

const jsonToXml: Job = (pool, request, response) =>
  collect(request, response, (body) =>
    tried(
      () => writeOrder(JSON.parse(body.toString())),
      response,
      (text) => post(pool, '/echo', 'application/xml; charset=utf-8', text, response),
    ),
  );

const xmlToJson: Job = (pool, request, response) =>
  collect(request, response, (body) =>
    tried(
      () => JSON.stringify(readOrder(body.toString())),
      response,
      (text) => post(pool, '/echo', json, text, response),
    ),
  );

const scatterGather: Job = (pool, request, response) => {
  const size = encodeURIComponent(request.url?.split('/')[2] ?? '');
  const found: Record<string, unknown> = { stock: undefined, price: undefined, reviews: undefined };
  let waiting = 3;
  let failed = false;
  const gather = (name: string) => (error: Error | undefined, answer?: Answer) => {
    if (failed) return;
    try {
      if (!answer || answer.status >= 300) throw error ?? new Error(`${name} answered ${answer?.status}`);
      found[name] = JSON.parse(answer.body.toString());
    } catch (thrown) {
      failed = true;
      fail(thrown as Error, response);
      return;
    }
    waiting -= 1;
    if (waiting > 0) return;
    const body = JSON.stringify(found);
    response.writeHead(200, { 'content-type': json, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  };
  for (const name of Object.keys(found)) {
    call(pool, { path: `/parts/${size}/${name}`, method: 'GET', headers: {}, body: null }, gather(name));
  }
};

export const jobs: Readonly<Record<string, Job>> = {
  'pass-through': passThrough,
  'header-router': headerRouter,
  'content-router': contentRouter,
  'json-to-json': jsonToJson,
  'json-to-xml': jsonToXml,
  'xml-to-json': xmlToJson,
  'scatter-gather': scatterGather,
};
