/** Policies that contradict each other, or the flows that use them: they would run, but not do what they say. */
import type { FlowSource, IntegrationSource, Report } from '../core/written.ts';
import { defaultTimeout, type PolicyOptions } from '../resilience/policy.ts';
import { formatDuration } from '../schema/units.ts';
import type { ConnectorDefinition } from '../sdk.ts';
import { eachMap } from './checks.ts';

export function checkPolicies(
  source: IntegrationSource,
  connectors: Readonly<Record<string, ConnectorDefinition>>,
  report: Report,
): void {
  for (const endpoint of Object.values(source.endpoints)) {
    const options = endpoint.policies as PolicyOptions;
    const warn = (at: string, code: string, message: string): void =>
      report({ severity: 'warning', code, message, pointer: `${endpoint.pointer}/${at}` });
    const attempts = attemptsProblem(options, options.deadline, 'its deadline');
    if (attempts) warn('retry', 'attempts-beyond-deadline', attempts);
    const calls = callsProblem(options);
    if (calls) warn('circuitBreaker/minCalls', 'never-enough-calls', calls);
    const { name } = endpoint.connector;
    if (options.cache && connectors[name]?.tokens?.(endpoint.connector.options, 'endpoint')) {
      const message =
        'The endpoint passes on the token of each caller, and `cache` would tell one caller what another was answered: drop it, or write a `cache` step whose `key` has `$identity.subject` in it';
      report({ severity: 'error', code: 'shared-answers', message, pointer: `${endpoint.pointer}/cache` });
    }
    if (options.cache && !connectors[name]?.safe) {
      const message = `Nothing is ever kept: every call of \`${name}\` may change something. Write a \`cache\` step around the calls that only read`;
      warn('cache', 'nothing-to-keep', message);
    }
  }
  for (const flow of Object.values(source.flows)) checkFlow(flow, source, report);
}

function checkFlow(flow: FlowSource, source: IntegrationSource, report: Report): void {
  const told = new Set<string>();
  eachMap(flow.steps, (step) => {
    const { kind, options, pointer } = step;
    if ((kind !== 'call' && kind !== 'send') || typeof pointer !== 'string') return;
    const { endpoint: name } = options as { readonly endpoint?: unknown };
    const endpoint = typeof name === 'string' ? source.endpoints[name] : undefined;
    if (!endpoint || told.has(endpoint.name)) return;
    const policies = endpoint.policies as PolicyOptions;
    // The endpoint's own deadline, where it is shorter, ends the attempts in time, or it is told of there.
    if (flow.deadline === undefined || (policies.deadline ?? Number.POSITIVE_INFINITY) <= flow.deadline) return;
    const problem = attemptsProblem(policies, flow.deadline, `the deadline of the flow \`${flow.name}\``);
    if (!problem) return;
    told.add(endpoint.name);
    report({
      severity: 'warning',
      code: 'attempts-beyond-deadline',
      message: problem,
      pointer: `${pointer}/${kind}/endpoint`,
    });
  });
}

function attemptsProblem(options: PolicyOptions, deadline: number | undefined, whose: string): string | undefined {
  const { retry, timeout = defaultTimeout } = options;
  if (!retry || deadline === undefined || retry.maxAttempts === 1) return undefined;
  const longest = retry.maxAttempts * timeout;
  if (longest <= deadline) return undefined;
  const own = options.timeout === undefined ? ' (the default, for there is no `timeout`)' : '';
  return `${retry.maxAttempts} attempts of up to ${formatDuration(timeout)}${own} can take ${formatDuration(longest)}, but ${whose} is ${formatDuration(deadline)}: the last ones may never come. Shorten \`timeout\``;
}

function callsProblem({ circuitBreaker, rateLimit }: PolicyOptions): string | undefined {
  if (!circuitBreaker || !rateLimit) return undefined;
  const { count, per } = rateLimit.rate;
  const most = Math.floor((count * circuitBreaker.window) / per) + (rateLimit.burst ?? Math.max(1, count));
  if (most >= circuitBreaker.minCalls) return undefined;
  return `\`rateLimit\` lets at most ${most} calls through in a window of ${formatDuration(circuitBreaker.window)}: \`minCalls\` is never reached, and the breaker never opens`;
}
