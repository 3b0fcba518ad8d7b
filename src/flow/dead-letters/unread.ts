import type { Connector } from '../../sdk.ts';
import type { Program } from '../program.ts';

/**
 * What a program sends to inside the process, that nobody there takes when another program runs: it would wait in memory,
 * and be lost.
 */
export function unreadBy(
  replayed: Program,
  running: Program,
  connectors: Readonly<Record<string, Connector>>,
): string | undefined {
  const readers = (program: Program, name: string) =>
    Object.values(program.source.flows).flatMap(({ from }) => (from?.name === name ? [from] : []));
  for (const { connector } of Object.values(replayed.source.endpoints)) {
    const { meetsAt, queues } = connectors[connector.name]?.definition ?? {};
    const place = meetsAt?.(connector.options);
    if (!meetsAt || place === undefined) continue;
    const meets = ({ options }: { readonly options: unknown }): boolean => meetsAt(options) === place;
    // What is in the store waits there.
    if (readers(replayed, connector.name).some((one) => meets(one) && queues?.(one.options))) continue;
    if (!readers(running, connector.name).some(meets)) return `the ${connector.name} ${place}`;
  }
  return undefined;
}
