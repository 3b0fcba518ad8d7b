/** An endpoint with several targets, and services that say who they are. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { integrationOf, post, type Running, type Service, startService } from './support.ts';

/** One flow, `POST /run`, with one call; the endpoint `far` has these options and policies. */
export const calling = (call: string, endpoint: string, policies = ''): string =>
  integrationOf(
    { main: { from: 'http: { path: /run }', steps: `- call: { endpoint: far, http: { ${call} } }` } },
    `far:\n  http: { ${endpoint} }\n${policies && `  ${policies}`}`,
  );

/** A service that answers with its name, and the path and host it was asked for. */
export const named = (t: TestContext, name: string): Promise<Service> =>
  startService(t, ({ url, headers }, response) => answer(response, { name, url, host: headers.host }));

export const answer = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

export const run = async (running: Running, body: unknown = {}): Promise<Readonly<Record<string, unknown>>> => {
  const reply = await post(`${running.url}/run`, body);
  assert.equal(reply.status, 200, reply.text);
  return reply.json as Readonly<Record<string, unknown>>;
};

export async function counted(running: Running, times: number): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (let turn = 0; turn < times; turn++) {
    const name = String((await run(running))['name']);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

export const logged = (running: Running, message: string): readonly Readonly<Record<string, unknown>>[] =>
  running.log.lines.filter((line) => line.message === message).map((line) => line.fields);
