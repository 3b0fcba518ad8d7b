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
