/** Errors of sockets in words: by their codes alone, for their own text holds addresses. Every connector says the same. */
import type { Trouble } from './link.ts';

export const networkWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the host',
  ETIMEDOUT: 'nobody answered in time',
};

const untrusted = 'its certificate comes from an authority that is not trusted: name that one as `tls.ca`';

/** Why the certificate of the far side is not taken: waiting does not heal it. */
export const certificateWords: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself: name it as `tls.ca`',
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host: correct the URL, or give `tls.servername`',
};

/** What the network or TLS says by the code of an error; `undefined` for all that is neither. */
export function socketTrouble(code: unknown): Trouble | undefined {
  if (typeof code !== 'string') return undefined;
  const network = networkWords[code];
  if (network !== undefined) return { detail: `${network} (${code})` };
  const isCertificate = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA/.test(code);
  if (isCertificate && !/^ERR_(SSL|OSSL)/.test(code)) {
    return { detail: `${certificateWords[code] ?? 'its certificate is not valid'} (${code})`, hopeless: true };
  }
  if (/^ERR_(SSL|TLS|OSSL)/.test(code)) {
    return { detail: `TLS failed: is it a TLS server, and does it accept our certificate? (${code})`, hopeless: true };
  }
  return undefined;
}
