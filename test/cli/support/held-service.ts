import type { TestContext } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { service } from '../../support/http-service.ts';

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
  const url = await service(t, (_request, response) => {
    const answer = (): void => {
      response.setHeader('content-type', 'application/json').end('{"from":"far"}');
    };
    if (held) held.push(answer);
    else answer();
  });
  return {
    url,
    waiting: (count) => eventually(`${count} calls wait`, () => (held?.length ?? 0) >= count),
    release() {
      for (const answer of held ?? []) answer();
      held = undefined;
    },
  };
}

/** An endpoint `far` at that service, for {@link serving}. */
export const farEndpoint = ({ url }: HeldService): string => `endpoints: { far: { http: { url: "${url}" } } }`;
