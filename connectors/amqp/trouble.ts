import { certificateWords, networkWords, type Trouble } from '#sdk';
import type { Address } from './address.ts';

/** Why something with the broker does not work, in words that say what to do; nothing of the library's errors but that. */
export interface BrokerTrouble extends Trouble {
  /** What the broker says it is: 404, 406 … */
  readonly code?: number | undefined;
  /** The broker refused a publish. */
  readonly publishing?: boolean;
}

const network: Readonly<Record<string, string>> = { ...networkWords, ECONNABORTED: 'the connection was cut' };

const certificates: Readonly<Record<string, string>> = {
  ...certificateWords,
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS at this port: write `amqp:`, or the port for TLS',
};

const codeOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '');

/** What the broker wrote itself: it names queues, exchanges, users; never a body. */
const said = (message: string): string | undefined =>
  / with message "(?:[A-Z_]+ - )?([\s\S]*)"$/.exec(message)?.[1]?.replaceAll(/\s+/g, ' ').trim();

/** Why a connection could not be opened. */
export function dialTrouble(thrown: unknown, address: Address, external: boolean): BrokerTrouble {
  const message = thrown instanceof Error ? thrown.message : '';
  const code = codeOf(thrown);
  if (code === 'ECONNRESET' || message.startsWith('Socket closed abruptly')) {
    return { detail: closedAtOnce(address), hopeless: false };
  }
  if (code in network) return { detail: `${network[code]} (${code})`, hopeless: false };
  if (code in certificates) return { detail: `${certificates[code]} (${code})`, hopeless: true };
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) {
    const refused = /ALERT|CERTIFICATE/.test(code)
      ? 'it refused our certificate, or wants one: look at `tls`'
      : 'TLS failed';
    return { detail: `${refused} (${code})`, hopeless: true };
  }
  if (message.includes('ETIMEDOUT')) return { detail: 'nobody answered in time (ETIMEDOUT)', hopeless: false };
  if (message.includes('403 (ACCESS-REFUSED)')) return { detail: refusedUser(address, external), hopeless: true };
  if (message.includes('SASL mechanism')) {
    const detail = external
      ? 'it knows nobody by certificate: enable its plugin `rabbitmq_auth_mechanism_ssl`, or drop `auth: certificate`'
      : 'it takes no passwords (SASL PLAIN): use `auth: certificate`';
    return { detail, hopeless: true };
  }
  if (message.includes('got <ConnectionClose') && message.startsWith('Expected ConnectionOpenOk')) {
    return { detail: refusedVhost(address, external), hopeless: true };
  }
  if (/frame|Expected Connection/i.test(message)) {
    return { detail: 'what answers there does not speak AMQP 0-9-1: is it the right port?', hopeless: true };
  }
  return { detail: code === '' ? 'the connection could not be opened' : code, hopeless: false };
}

function closedAtOnce({ tls }: Address): string {
  const why = tls ? 'its log says why' : 'is it a port for TLS (write `amqps:`), or not a broker?';
  return `it closed the connection at once: ${why}`;
}

function refusedUser({ username }: Address, external: boolean): string {
  if (external) return 'it does not know the user that our certificate names: create one without a password';
  const guest = username === 'guest' ? '; `guest` may come from the same machine only' : '';
  return `it refused the user \`${username}\`: wrong name or password${guest}`;
}

function refusedVhost({ vhost, username }: Address, external: boolean): string {
  const who = external ? 'our user' : `the user \`${username}\``;
  return `there is no virtual host \`${decodeURIComponent(vhost)}\`, or ${who} may not use it: add it (\`rabbitmqctl add_vhost\`, \`set_permissions\`), or correct the URL`;
}

/** Why a connection or a channel that was open is so no more, or could not be made what it should be. */
export function lostTrouble(thrown: unknown): BrokerTrouble {
  const message = thrown instanceof Error ? thrown.message : '';
  const { code, classId, methodId } = (thrown ?? {}) as Readonly<Record<string, unknown>>;
  const text = said(message);
  if (typeof code !== 'number') return { detail: plainLoss(message, codeOf(thrown)), hopeless: false };
  const publishing = classId === 60 && methodId === 40;
  return { ...refusal(code, text ?? 'it gave no reason'), code, publishing };
}

function plainLoss(message: string, code: string): string {
  if (message.includes('Heartbeat')) return 'it showed no sign of life (heartbeat)';
  if (code in network) return `${network[code]} (${code})`;
  return 'the connection was closed';
}

function refusal(code: number, text: string): BrokerTrouble {
  switch (code) {
    case 320:
      return { detail: `it closed the connection: ${text}`, hopeless: false };
    case 403:
      // Another reader has it now; a permission has to be given by somebody.
      if (text.includes('exclusive use')) return { detail: `${text}: there is another reader`, hopeless: false };
      return { detail: `${text}: \`rabbitmqctl set_permissions\` gives access`, hopeless: true };
    case 404:
      return { detail: text, hopeless: true };
    case 405:
      return { detail: `${text}: another connection has it for itself`, hopeless: false };
    case 406:
      return { detail: differs(text), hopeless: !text.includes('timed out') };
    default:
      return { detail: `${text} (${code})`, hopeless: code === 530 || code === 540 };
  }
}

function differs(text: string): string {
  const [, argument, what, received, current] =
    /^inequivalent arg '([^']+)' for (.+?) in vhost '.*?': received (.+) but current is (.+)$/.exec(text) ?? [];
  if (argument === undefined) return text;
  const plain = (value = ''): string =>
    value
      .replace(/^the value '(.*)' of type '.*'$/, '$1')
      .replace(/^'(.*)'$/, '$1')
      .replace(/^none$/, 'not set');
  return `${what} is there already, with \`${argument}\` ${plain(current)} and not ${plain(received)}: declare it as it is, only check it, or delete it`;
}
