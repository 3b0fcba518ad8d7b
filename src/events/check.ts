/** What is wrong with what the file says about events, before any message comes. */
import type { EndpointEvents, EventBinding } from './options.ts';

/** Attributes have no place in the headers of this endpoint: why. */
export function modeProblem(
  { mode }: EndpointEvents,
  connector: { readonly name: string; readonly options: unknown },
  binding: EventBinding | false | undefined,
): string | undefined {
  if (mode !== 'binary' || binding === false) return undefined;
  const why = binding ? binding.without?.(connector.options) : `\`${connector.name}\` has no headers for attributes`;
  return why === undefined ? undefined : `${why}: write \`mode: structured\``;
}
