import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Clock, Identity } from '#sdk';
import type { MtlsOptions } from './options.ts';
import type { Found, Scheme } from './scheme.ts';

interface Shown {
  readonly found: Found;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** The certificate of the client, which node has checked against the authorities when the connection was made. */
export function certificateScheme({ subjects }: MtlsOptions, realm: string, clock: Clock): Scheme {
  // A connection keeps its certificate.
  const known = new WeakMap<object, Shown>();
  const look = (socket: TLSSocket): Shown | undefined => {
    const certificate = socket.getPeerCertificate?.();
    if (!certificate || Object.keys(certificate).length === 0) return undefined;
    const until = Date.parse(certificate.valid_to);
    if (!socket.authorized || Number.isNaN(until)) return { found: { refused: 'certificate' }, until: 0 };
    const names = namesOf(certificate);
    const wanted = subjects === undefined || names.some((name) => subjects.includes(name));
    const found: Found = wanted ? { identity: identityOf(certificate, names) } : { refused: 'unknown' };
    return { found, until };
  };
  return {
    name: 'mtls',
    challenge: `ClientCertificate realm="${realm}"`,
    find({ request }) {
      const socket = request.socket as TLSSocket;
      let shown = known.get(socket);
      if (!shown) {
        shown = look(socket);
        if (!shown) return undefined;
        known.set(socket, shown);
      }
      const over = 'identity' in shown.found && shown.until < clock.now();
      return over ? { refused: 'expired' } : shown.found;
    },
  };
}

const oneText = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];

/** The common name, then the alternative names. */
function namesOf({ subject, subjectaltname }: PeerCertificate): readonly string[] {
  const common = oneText(subject?.CN);
  return [...(common === undefined ? [] : [common]), ...alternativeNames(subjectaltname)];
}

/** `DNS:a.example, URI:spiffe://a/b`. A name with a comma or a quote in it comes as a JSON text. */
function alternativeNames(written: string | undefined): readonly string[] {
  return [...(written ?? '').matchAll(/(DNS|URI|email):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)]
    .map(([, , name = '']) => unquoted(name))
    .filter((name) => name !== '');
}

function unquoted(name: string): string {
  if (!name.startsWith('"')) return name;
  try {
    return String(JSON.parse(name));
  } catch {
    return '';
  }
}

function identityOf(certificate: PeerCertificate, names: readonly string[]): Identity {
  const { subject, issuer, serialNumber, fingerprint256, valid_from, valid_to, subjectaltname } = certificate;
  return {
    scheme: 'mtls',
    subject: names[0],
    scopes: [],
    claims: {
      subject: { ...subject },
      issuer: { ...issuer },
      alternativeNames: alternativeNames(subjectaltname),
      serialNumber,
      fingerprint256,
      validFrom: new Date(valid_from).toISOString(),
      validTo: new Date(valid_to).toISOString(),
    },
  };
}
