import type { FlowSource, IntegrationSource, Report } from '../../core/written.ts';
import { formatDuration } from '../../schema/units.ts';
import type { ConnectorDefinition } from '../../sdk.ts';
import { settles } from './program.ts';

type Definitions = Readonly<Record<string, ConnectorDefinition>>;

const settings = ['orderBy', 'redelivery', 'deadLetter'] as const;

/** What a flow says about the delivery of its messages, where nobody could keep the promise; pauses that contradict each other. */
export function checkSettlement(source: IntegrationSource, connectors: Definitions, report: Report): void {
  for (const flow of Object.values(source.flows)) {
    checkSource(flow, connectors, report);
    checkCircle(flow, source, connectors, report);
    checkPauses(flow, report);
  }
}

function checkSource(flow: FlowSource, connectors: Definitions, report: Report): void {
  const definition = flow.from && connectors[flow.from.name];
  if (settles(flow.from, definition)) return;
  for (const setting of settings) {
    if (flow[setting] === undefined) continue;
    report({
      severity: 'error',
      code: 'not-settling',
      at: 'key',
      name: flow.name,
      message: `\`${setting}\` can do nothing here: ${whyNot(flow, definition)}`,
      pointer: `${flow.pointer}/${setting}`,
    });
    // The same holds for the others.
    return;
  }
}

/** Dead letters that come back to the flow that gave them up. */
function checkCircle(
  { name, from, deadLetter, pointer }: FlowSource,
  source: IntegrationSource,
  connectors: Definitions,
  report: Report,
): void {
  const to = deadLetter && source.endpoints[deadLetter.endpoint]?.connector;
  const at = from && connectors[from.name]?.meetsAt;
  if (!from || !at || to?.name !== from.name || at(to.options) !== at(from.options)) return;
  report({
    severity: 'error',
    code: 'dead-letters-return',
    message: `The dead letters of \`${name}\` would come back to it: \`${deadLetter?.endpoint}\` is where it takes its messages from`,
    pointer: `${pointer}/deadLetter/endpoint`,
  });
}

function whyNot({ from }: FlowSource, definition: ConnectorDefinition | undefined): string {
  if (!from) return 'the flow has no `from`. Write it on the flow whose messages run this one';
  return definition?.unsettled ?? `\`${from.name}\` does not keep its messages until they are done`;
}

function checkPauses({ redelivery, pointer }: FlowSource, report: Report): void {
  if (!redelivery || redelivery.delay <= redelivery.maxDelay) return;
  const { delay, maxDelay } = redelivery;
  report({
    severity: 'warning',
    code: 'delay-beyond-longest',
    message: `No pause is longer than \`maxDelay\`, which is ${formatDuration(maxDelay)}: a \`delay\` of ${formatDuration(delay)} is never reached`,
    pointer: `${pointer}/redelivery/delay`,
  });
}
