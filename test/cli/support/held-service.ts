import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { eventually } from '../../support/eventually.ts';

export interface HeldService {
  readonly url: string;
  /** Resolves when so many calls wait for their answer. */
  waiting(count: number): Promise<void>;
  /** Answers all calls that wait, and every later one at once. */
  release(): void;
}

/** A service whose answers come when the test says so: what is in flight is in flight. */
export async function heldService(t: Pick<TestContext, 'after'>): Promise<HeldService> {
  let held: (() => void)[] | undefined = [];
  const server = createServer((_request, response) => {
    const answer = (): void => {
      response.setHeader('content-type', 'application/json').end('{"from":"far"}');
    };
    if (held) held.push(answer);
    else answer();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    waiting: (count) => eventually(`${count} calls wait`, () => (held?.length ?? 0) >= count),
    release() {
      for (const answer of held ?? []) answer();
      held = undefined;
    },
  };
}

/** An endpoint `far` at that service, for {@link serving}. */
export const farEndpoint = ({ url }: HeldService): string => `endpoints: { far: { http: { url: "${url}" } } }`;
