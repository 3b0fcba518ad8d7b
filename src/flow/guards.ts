import type { Services } from '../core/exchange.ts';
import type { EndpointSource } from '../core/written.ts';
import { type Guard, type Policy, type PolicyOptions, policies } from '../resilience/policy.ts';
import type { ConnectorDefinition } from '../sdk.ts';
import { attemptMeter, callMeter } from './metered.ts';
import { isRepeatable } from './operation.ts';

/** What stands around the calls of each endpoint: its policies, and what is counted. */
export class Guards {
  readonly #services: Pick<Services, 'clock' | 'log' | 'meter'>;
  readonly #guards = new Map<string, Guard>();

  constructor(services: Pick<Services, 'clock' | 'log' | 'meter'>) {
    this.#services = services;
  }

  of(endpoint: string): Guard | undefined {
    return this.#guards.get(endpoint);
  }

  /** `recorded`: around each attempt, where traces are. */
  around(
    { name, connector, policies: options }: EndpointSource,
    definition: ConnectorDefinition,
    recorded?: Policy,
  ): Policy {
    const { clock, log, meter } = this.#services;
    const guard = policies(options as PolicyOptions, {
      endpoint: name,
      clock,
      log,
      meter,
      safe: ({ operation }) => definition.safe?.(operation, connector.options) === true,
      repeatable: ({ operation }) =>
        isRepeatable(operation) || definition.idempotent?.(operation, connector.options) === true,
    });
    this.#guards.set(name, guard);
    const [calls, attempts] = [callMeter(name, meter, clock), attemptMeter(name, meter)];
    return (far) => calls(guard.around(attempts(recorded ? recorded(far) : far)));
  }
}
