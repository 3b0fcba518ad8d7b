import { Failure, failure, socketTrouble, type Trouble } from '#sdk';

/** What the server answers with, by the word that begins it: what to do about it, and whether waiting may help. */
const replies: Readonly<Record<string, { readonly text: string; readonly heals?: true }>> = {
  NOAUTH: { text: 'the server asks for a password: add `password`' },
  WRONGPASS: { text: 'the server refuses us: look at `username` and `password`' },
  NOPERM: { text: 'the user has no permission for this command or key: extend its access list' },
  WRONGTYPE: { text: 'the key holds something that is no stream' },
  READONLY: { text: 'the server is a replica, which takes no writes', heals: true },
  OOM: { text: 'the memory of the server is full', heals: true },
  MISCONF: { text: 'the server cannot write to its disk', heals: true },
  LOADING: { text: 'the server is still loading its data', heals: true },
  MASTERDOWN: { text: 'the server has lost its primary', heals: true },
  NOREPLICAS: { text: 'the server has not enough replicas to take writes', heals: true },
  CLUSTERDOWN: { text: 'the cluster is down', heals: true },
  TRYAGAIN: { text: 'the cluster is being rearranged', heals: true },
  BUSY: { text: 'the server is busy with a script', heals: true },
  NOGROUP: { text: 'the group is gone', heals: true },
  MOVED: { text: 'the key lies on another node: clusters are not supported' },
  CROSSSLOT: { text: 'clusters are not supported' },
};

const word = (message: string): string => /^-?([A-Z]+)\b/.exec(message)?.[1] ?? '';

/** The word that an answer of the server begins with; `undefined` for all that it did not say. */
export function replyOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !/Error(Reply)?$|SimpleError|BlobError/.test(thrown.constructor.name))
    return undefined;
  const found = word(thrown.message);
  return Object.hasOwn(replies, found) || found === 'ERR' || found === 'BUSYGROUP' ? found : undefined;
}

/** What the library, the server and the network say, in words that hold neither secrets nor payloads. */
export function explain(thrown: unknown): Trouble {
  if (thrown instanceof Refused) return { detail: thrown.message, hopeless: true };
  if (thrown instanceof Failure) {
    return { detail: String(thrown.facts['detail'] ?? thrown.message), hopeless: thrown.code === 'startup' };
  }
  const reply = replyOf(thrown);
  if (reply !== undefined && replies[reply]) {
    const { text, heals } = replies[reply];
    return { detail: `${text} (${reply})`, hopeless: heals !== true };
  }
  if (reply !== undefined) return fromError(thrown instanceof Error ? thrown.message : '');
  return fromNetwork(thrown);
}

/** Plain `ERR`: the text is the server's own, and may quote what it was given. */
function fromError(message: string): Trouble {
  if (/unknown command/i.test(message)) {
    return { detail: 'the server does not know a command that is needed: Redis 6.2 is the least', hopeless: true };
  }
  if (/AUTH.*without any password/i.test(message)) {
    return { detail: 'the server has no password: drop `password`, or give the server one', hopeless: true };
  }
  if (/DB index/i.test(message))
    return { detail: 'the server has no such database: look at the path of `url`', hopeless: true };
  if (/max number of clients/i.test(message)) return { detail: 'the server takes no more connections' };
  if (/stream ID specified.*smaller|invalid stream id/i.test(message))
    return { detail: 'the id is no id of a stream', hopeless: true };
  return { detail: 'the server answered with an error' };
}

function fromNetwork(thrown: unknown): Trouble {
  const { code, errors } = thrown as { readonly code?: unknown; readonly errors?: readonly unknown[] };
  if (errors?.[0]) return fromNetwork(errors[0]);
  const name = thrown instanceof Error ? thrown.constructor.name : '';
  return socketTrouble(code) ?? { detail: /Timeout/.test(name) ? 'no answer in time' : 'the connection was closed' };
}

/** Something that is set up in a way that does not fit. */
export class Refused extends Error {}

/** A call that failed after it was handed to the library. */
export function callFailure(thrown: unknown, endpoint: string): Failure {
  if (thrown instanceof Failure) return thrown;
  const { detail, hopeless } = explain(thrown);
  if (replyOf(thrown) === undefined) return failure('connection', { endpoint, detail, sent: true }, { cause: thrown });
  // The server has answered: nothing was done.
  const facts = { endpoint, detail, sent: false };
  return failure('refused', facts, hopeless ? { cause: thrown, kind: 'permanent' } : { cause: thrown });
}
