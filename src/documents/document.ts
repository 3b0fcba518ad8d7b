import { redactor } from '../core/redactor.ts';
import type { IntegrationSource } from '../core/written.ts';
import type { Connector } from '../sdk.ts';
import { asyncApiOf } from './asyncapi.ts';
import { describedBy } from './described.ts';
import { openApiOf } from './openapi.ts';

export const documentKinds = ['openapi', 'asyncapi'] as const;
export type DocumentKind = (typeof documentKinds)[number];

/** What an integration is to others, as a document; secrets are not in it. */
export async function documentOf(
  kind: DocumentKind,
  source: IntegrationSource,
  connectors: Readonly<Record<string, Connector>>,
): Promise<unknown> {
  const described = describedBy(connectors);
  const document = kind === 'openapi' ? await openApiOf(source, described) : await asyncApiOf(source, described);
  const clean = redactor(() => source.secrets);
  // Text by text: schemas may be deeper than a log line ever is.
  return JSON.parse(
    JSON.stringify(document, (_, value: unknown) => (typeof value === 'string' ? clean(value) : value)),
  );
}

/** The kind that says most about it: what it serves, else what it hears and sends. */
export const usualKind = (source: IntegrationSource): DocumentKind =>
  Object.values(source.flows).some(({ from }) => from?.name === 'http' || from?.name === 'soap')
    ? 'openapi'
    : 'asyncapi';
