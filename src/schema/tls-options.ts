import type { Schema } from './schema.ts';

/** What stands under `tls:`, the same for every connector that speaks over TLS. */
export const tlsProperties = {
  ca: { type: 'string', format: 'file', description: 'Certificates of the authorities to trust (PEM).' },
  cert: { type: 'string', format: 'file', description: 'Our certificate (PEM).' },
  key: { type: 'string', format: 'file', description: 'Its private key (PEM).' },
  rejectUnauthorized: {
    type: 'boolean',
    default: true,
    description: '`false` talks to anybody who answers: for trials only.',
  },
  servername: { type: 'string', description: 'Name in the certificate, when it differs from the URL.' },
} as const satisfies Readonly<Record<string, Schema>>;
