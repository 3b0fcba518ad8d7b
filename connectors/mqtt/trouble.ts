/** Why there is no connection, in words; and whether waiting may help. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  /** It stays as it is until somebody changes something: a wrong password, a certificate that is not trusted. */
  readonly lasting: boolean;

  constructor(message: string, lasting = false) {
    super(message);
    this.lasting = lasting;
  }
}

/** Reason codes (MQTT 5 §2.4) in words, and what to do about those that one can do something about. */
const reasons: Readonly<Record<number, string>> = {
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'implementation specific error',
  132: 'it does not speak this version of the protocol',
  133: 'it does not accept the client id',
  134: 'wrong user name or password',
  135: 'not authorized',
  136: 'it is unavailable',
  137: 'it is busy',
  138: 'this client is banned',
  139: 'it is shutting down',
  140: 'it asks for another way of authentication',
  141: 'it heard nothing of us for longer than `keepalive`',
  142: 'another client took the session over',
  143: 'the topic filter is not accepted',
  144: 'the topic is not accepted',
  145: 'the packet id is in use',
  146: 'the packet id is not known',
  147: 'more messages at once than it takes',
  148: 'topic alias not accepted',
  149: 'the message is larger than it takes',
  150: 'messages come too fast',
  151: 'a quota is used up',
  152: 'ended by an administrator',
  153: 'the payload is not of the format it is said to be',
  154: 'it does not retain messages',
  155: 'it does not take this QoS',
  156: 'another server is to be used',
  157: 'the server has moved',
  158: 'it knows no shared subscriptions',
  159: 'connections come too fast',
  160: 'the connection has lasted as long as it may',
  161: 'it knows no subscription identifiers',
  162: 'it knows no wildcards in subscriptions',
};

export const reasonText = (code: number): string => {
  const number = `0x${code.toString(16).padStart(2, '0')}`;
  return reasons[code] === undefined ? number : `${reasons[code]} (${number})`;
};

/** Codes of MQTT 3.1.1 (§3.2.2.3) as those of MQTT 5. */
const older: Readonly<Record<number, number>> = { 1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87 };

/** Refusals that may be over after a while. */
const passing: ReadonlySet<number> = new Set([0x80, 0x83, 0x88, 0x89, 0x8b, 0x93, 0x96, 0x97, 0x9f]);

export const isPassing = (code: number): boolean => passing.has(code);

const advice: Readonly<Record<number, string>> = {
  132: ': write `version: 3.1.1`',
  133: ': choose another `clientId`',
  134: ': correct `username` and `password`',
  135: ': give `username` and `password`, or let the broker allow this user',
};

/** The broker's answer to our greeting. */
export function refusal(code: number, version: 5 | '3.1.1'): Trouble {
  const known = older[code] ?? code;
  // Who is told to write the version that stands there already learns nothing.
  const hint = known === 0x84 && version === '3.1.1' ? '' : (advice[known] ?? '');
  return new Trouble(`the broker refuses the connection: ${reasonText(known)}${hint}`, !isPassing(known));
}

const certificate = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA|CRL_)/;

/** An error of the socket. Its own text may hold anything; by its code we know what to say. */
export function socketTrouble(thrown: unknown, secure: boolean): Trouble {
  const { code, message } = thrown as { readonly code?: unknown; readonly message?: unknown };
  const known = typeof code === 'string' ? code : 'unknown error';
  if (certificate.test(known)) {
    const hint = 'give the authority that signed it in `tls.ca`, or its name in `tls.servername`';
    return new Trouble(`the certificate of the broker is not trusted (${certificateText(known)}): ${hint}`, true);
  }
  if (/ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|UNKNOWN_CA|BAD_CERTIFICATE)/.test(known)) {
    return new Trouble(
      `the broker does not accept our certificate (${known}): give \`tls.cert\` and \`tls.key\` that it trusts`,
      true,
    );
  }
  if (known === 'ERR_SSL_WRONG_VERSION_NUMBER' || known === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return new Trouble('nobody speaks TLS at that port: is it `mqtt:`, or another port?', true);
  }
  if (/^ERR_(OSSL|SSL|TLS|CRYPTO)/.test(known)) return new Trouble(`TLS failed (${known})`, secure);
  return new Trouble(typeof message === 'string' && system.has(known) ? spoken(known) : known);
}

const certificateText = (code: string): string =>
  code
    .toLowerCase()
    .replaceAll('_', ' ')
    .replace(/^err tls /, '');

const system = new Map([
  ['ECONNREFUSED', 'nobody listens there'],
  ['ECONNRESET', 'the connection was reset'],
  ['EPIPE', 'the connection was closed'],
  ['ENOTFOUND', 'its name is not known'],
  ['EAI_AGAIN', 'its name cannot be resolved now'],
  ['ETIMEDOUT', 'it does not answer'],
  ['EHOSTUNREACH', 'there is no way to it'],
  ['ENETUNREACH', 'there is no way to its network'],
]);

const spoken = (code: string): string => `${system.get(code)} (${code})`;
