/** An integration whose one flow makes one call. */
import assert from 'node:assert/strict';
import { integrationOf, post, type Received, type Running, type Service, startService } from './support.ts';

export const json = { 'content-type': 'application/json' };

/** One flow, `POST /run`, with one call; the endpoint `far` has these options. */
export const calling = (call: string, endpoint: string, more = ''): string =>
  integrationOf(
    { main: { from: 'http: { path: /run }', steps: `- call: { endpoint: far, ${call} }\n${more}` } },
    `far:\n  http: { ${endpoint} }`,
  );

/** What the far side got when the flow was given `body`. */
export async function sentBy(running: Running, service: Service, body: unknown = {}): Promise<Received> {
  const reply = await post(`${running.url}/run`, body);
  assert.equal(reply.status, 200, reply.text);
  const last = service.requests.at(-1);
  assert.ok(last);
  return last;
}

export const answering = (t: Parameters<typeof startService>[0]): Promise<Service> =>
  startService(t, (_, response) => {
    response.writeHead(200, json).end('{"ok":true}');
  });
