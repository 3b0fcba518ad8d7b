import type { Slot } from '#sdk';
import { brokerList, brokerProblem } from './address.ts';
import type { EndpointOptions, SourceOptions } from './definition.ts';

type Report = (at: string, message: string, suggestion?: string) => void;

/** What only this connector can find wrong in its options, while validating. Options with other mistakes may be partial. */
export function check(options: unknown, report: Report, slot: Slot): void {
  if (slot === 'call') return;
  checkCluster(options as Partial<EndpointOptions>, report);
  if (slot === 'source') checkSource(options as Partial<SourceOptions>, report);
}

function checkCluster({ brokers = [], tls }: Partial<EndpointOptions>, report: Report): void {
  const written = typeof brokers === 'string' ? [brokers] : brokers;
  for (const [index, entry] of written.entries()) {
    const all = brokerList([entry]);
    const problem = all.map(brokerProblem).find((one) => one !== undefined);
    if (!problem) continue;
    const at = typeof brokers === 'string' ? 'brokers' : `brokers/${index}`;
    report(at, problem.message, all.length === 1 ? problem.suggestion : undefined);
  }
  if (tls?.cert && !tls.key) report('tls/cert', 'a certificate needs its private key: give `key` too');
  if (tls?.key && !tls.cert) report('tls/key', 'a private key needs its certificate: give `cert` too');
}

function checkSource({ topics = [], session, heartbeat }: Partial<SourceOptions>, report: Report): void {
  for (const [index, topic] of topics.entries()) {
    if (topics.indexOf(topic) < index) report(`topics/${index}`, `the topic \`${topic}\` is named twice`);
  }
  if (session === undefined || heartbeat === undefined) return;
  if (session < 6_000) {
    report('session', 'a group refuses members with less than 6s (`group.min.session.timeout.ms` of the broker)', '6s');
  } else if (heartbeat > session / 3 || heartbeat < 100) {
    report(
      'heartbeat',
      `between 100ms and a third of \`session\`, so that one that is late ends no membership: at most ${Math.floor(session / 3)}ms`,
    );
  }
}
