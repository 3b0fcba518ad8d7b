import type { Identity } from '#sdk';
import { type MakeScheme, realScheme } from './guard.ts';
import type { AuthOptions } from './options.ts';

/** Whom a test means that does not say how the caller is known. */
const usual = ['jwt', 'introspection', 'mtls', 'apiKey', 'basic'] as const;

/** A scheme for a test: it believes what the test says; keys and passwords are checked as ever. */
export const rehearsedScheme: MakeScheme = async (name, auth, context) => {
  const real = name === 'apiKey' || name === 'basic' ? await realScheme(name, auth, context) : undefined;
  return {
    name,
    challenge:
      real?.challenge ?? `${name === 'mtls' ? 'ClientCertificate' : 'Bearer'} realm="${context.integration.name}"`,
    find(asking) {
      const { stated } = asking;
      if (!stated) return real?.find(asking);
      return schemeOf(stated, auth) === name ? { identity: { ...stated, scheme: name } } : undefined;
    },
  };
};

const schemeOf = ({ scheme }: Identity, auth: AuthOptions): string | undefined =>
  scheme === '' ? usual.find((one) => auth[one]) : scheme;
