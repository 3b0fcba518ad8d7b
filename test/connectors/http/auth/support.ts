/** An integration with a door, and what stands behind it. */
import type { TestContext } from 'node:test';
import { Metrics } from '../../../../src/operations/metrics.ts';
import { integrationOf, type Reply, type Running, type RunningOptions, request, startIntegration } from '../support.ts';

const whoIsThere = `
- respond:
    body: { identity: "\${{ $identity }}", headers: "\${{ $headers }}", query: "\${{ $query }}", url: "\${{ $source.url }}" }`;

/** A source at `/orders/{tenant}` with these options; answers with what it knows of its caller. */
export const behind = (auth: string, more = '', steps = whoIsThere): string =>
  integrationOf({
    orders: { from: `http: { method: [GET, POST], path: "/orders/{tenant}", auth: ${auth}${more} }`, steps },
  });

export interface Guarded extends Running {
  readonly metrics: Metrics;
  /** By reason. */
  readonly refused: (reason: string) => number;
}

export async function startGuarded(t: TestContext, yaml: string, options: RunningOptions = {}): Promise<Guarded> {
  const metrics = new Metrics();
  const running = await startIntegration(t, yaml, { ...options, meter: metrics });
  const refused = (reason: string): number =>
    Number(new RegExp(`dowel_http_refused_total{[^}]*reason="${reason}"[^}]*} (\\d+)`).exec(metrics.text())?.[1] ?? 0);
  return { ...running, metrics, refused };
}

export const ask = (
  running: Running,
  headers: Readonly<Record<string, string>> = {},
  path = '/orders/acme',
): Promise<Reply> => request(`${running.url}${path}`, { headers });

export const withBearer = (running: Running, token: string): Promise<Reply> =>
  ask(running, { authorization: `Bearer ${token}` });

/** What the flow saw. */
export const seen = (
  reply: Reply,
): { readonly identity: Record<string, unknown>; readonly headers: Record<string, string> } => {
  if (reply.status !== 200) throw new Error(`not let in: ${reply.status} ${reply.text}`);
  return reply.json as ReturnType<typeof seen>;
};
