import type { Trouble } from './link.ts';

const network: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'no answer in time',
};

const certificate = (code: string): string =>
  code === 'CERT_HAS_EXPIRED'
    ? 'its certificate has expired'
    : code === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? 'its certificate is for another name: give the right one as `tls.servername`'
      : 'its certificate is not trusted: give its authority as `tls.ca`';

/** What the network or TLS says by the code of an error; `undefined` for all that is neither. */
export function socketTrouble(code: unknown): Trouble | undefined {
  if (typeof code !== 'string') return undefined;
  if (network[code]) return { detail: `${network[code]} (${code})` };
  if (/^ERR_(SSL|TLS_(?!CERT)|OSSL)/.test(code)) {
    return { detail: `TLS: ${code}: is it a TLS server, and does it accept our certificate?`, hopeless: true };
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|ALTNAME/.test(code)) {
    return { detail: `TLS: ${certificate(code)} (${code})`, hopeless: true };
  }
  return undefined;
}
