import { type Engine, mainFlow } from '../../support/engine.ts';

export const numbers = (complete: string, more = ''): string =>
  mainFlow(
    `- aggregate: { by: k, complete: ${complete}, collect: n${more} }\n- call: { endpoint: a, test: { what: { list: "\${{ $ }}", group: "\${{ $source.group }}" } }, as: done }`,
  );

/** What the rest of the flow was run over. */
export const lists = (engine: Engine): readonly unknown[] =>
  engine.calls.map((call) => (call.operation['what'] as { readonly list: unknown }).list);
