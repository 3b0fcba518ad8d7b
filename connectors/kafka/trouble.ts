import { certificateWords, customFailure, Failure, failure, networkWords, type Trouble } from '#sdk';

/** What an error of the protocol is, as the broker calls it, and what a person can do about it. */
interface Meaning {
  readonly detail: string;
  /** Waiting does not heal it. */
  readonly hopeless?: boolean;
}

const hopeless = (detail: string): Meaning => ({ detail, hopeless: true });
const passing = (detail: string): Meaning => ({ detail });

const certificates: Readonly<Record<string, string>> = {
  ...certificateWords,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host: give `tls.servername`',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS at this port: drop `tls`, or take the port for TLS',
};

const protocol: Readonly<Record<string, Meaning>> = {
  UNKNOWN_TOPIC_OR_PARTITION: hopeless('there is no such topic or partition: create it, or correct its name'),
  INVALID_TOPIC_EXCEPTION: hopeless('no topic can have this name'),
  MESSAGE_TOO_LARGE: hopeless('the record is larger than the broker takes (`max.message.bytes` of the topic)'),
  RECORD_LIST_TOO_LARGE: hopeless('the record is larger than a segment of the topic (`segment.bytes`)'),
  INVALID_RECORD: hopeless('the broker refuses the record: a compacted topic needs a key'),
  INVALID_TIMESTAMP: hopeless('the time of the record is out of the range of the topic'),
  TOPIC_AUTHORIZATION_FAILED: hopeless('our user may not use the topic: give it an ACL'),
  GROUP_AUTHORIZATION_FAILED: hopeless('our user may not use the group: give it an ACL (Read on the group)'),
  CLUSTER_AUTHORIZATION_FAILED: hopeless(
    'our user may not write exactly once: give it an ACL (IdempotentWrite on the cluster)',
  ),
  SASL_AUTHENTICATION_FAILED: hopeless('the user name or the password is wrong'),
  UNSUPPORTED_SASL_MECHANISM: hopeless('it does not offer this way of authentication: choose another one under `auth`'),
  ILLEGAL_SASL_STATE: hopeless('it asks for no name and password at this port: drop `auth`'),
  INVALID_GROUP_ID: hopeless('no group can have this name'),
  INVALID_SESSION_TIMEOUT: hopeless(
    '`session` is out of the range that it allows (`group.min.session.timeout.ms`, `group.max.session.timeout.ms`)',
  ),
  INCONSISTENT_GROUP_PROTOCOL: hopeless(
    'the members of the group share out partitions in another way (`cooperative-sticky` is needed): take a group of our own',
  ),
  FENCED_INSTANCE_ID: passing('another process of the group has the same `instance`'),
  GROUP_MAX_SIZE_REACHED: passing('the group is full'),
  NOT_LEADER_OR_FOLLOWER: passing('another broker leads the partition now'),
  LEADER_NOT_AVAILABLE: passing('no broker leads the partition'),
  NOT_ENOUGH_REPLICAS: passing('too few replicas are in sync (`min.insync.replicas`)'),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: passing('too few replicas are in sync (`min.insync.replicas`)'),
  REQUEST_TIMED_OUT: passing('the replicas did not confirm in time'),
  COORDINATOR_NOT_AVAILABLE: passing('no broker coordinates the group yet'),
  COORDINATOR_LOAD_IN_PROGRESS: passing('the coordinator of the group is starting'),
  NOT_COORDINATOR: passing('another broker coordinates the group now'),
  REBALANCE_IN_PROGRESS: passing('the partitions are being shared out'),
  KAFKA_STORAGE_ERROR: passing('the broker cannot use its disk'),
  POLICY_VIOLATION: hopeless('a policy of the broker forbids it'),
};

const tlsError = /^ERR_(SSL|TLS)/;

/** An error, what caused it, and what it is made of: libraries nest them. */
export function* nested(thrown: unknown, depth = 0): Generator<Readonly<Record<string, unknown>>> {
  if (typeof thrown !== 'object' || thrown === null || depth > 8) return;
  const error = thrown as Readonly<Record<string, unknown>>;
  if (Array.isArray(error['errors'])) for (const one of error['errors']) yield* nested(one, depth + 1);
  yield* nested(error['cause'], depth + 1);
  yield error;
}

/** The name of an error of the protocol, as the broker calls it: `MESSAGE_TOO_LARGE`. */
export function protocolError(thrown: unknown): string | undefined {
  for (const { apiId } of nested(thrown)) if (typeof apiId === 'string') return apiId;
  return undefined;
}

/** What the broker answered with an error: other parts of the answer may be good. */
export function responseOf<T>(thrown: unknown): T | undefined {
  for (const { response } of nested(thrown))
    if (typeof response === 'object' && response !== null) return response as T;
  return undefined;
}

/** Why something went wrong, in words that hold no address, secret or payload: never the library's own. */
export function explain(thrown: unknown): Trouble {
  if (thrown instanceof Failure) return { detail: thrown.message, hopeless: thrown.kind === 'permanent' };
  const apiId = protocolError(thrown);
  if (apiId !== undefined) return meaningOf(apiId);
  for (const { message } of nested(thrown)) {
    if (typeof message === 'string' && message.startsWith('TLS handshake failed'))
      return passing('it broke off when TLS began (is this its port for TLS?)');
  }
  for (const { code, message } of nested(thrown)) {
    const word = String(code);
    if (word in networkWords) return passing(`${networkWords[word]} (${word})`);
    if (word in certificates) return hopeless(`${certificates[word]} (${word})`);
    if (tlsError.test(word)) return hopeless(`it refuses our certificate, or wants one (${word})`);
    if (message === 'Broker requires TLS.') return hopeless('it speaks TLS at this port: give `tls: {}`');
    if (code === 'PLT_KFK_AUTHENTICATION') return hopeless('the user name or the password is wrong');
    if (code === 'PLT_KFK_UNSUPPORTED_API' || code === 'PLT_KFK_UNSUPPORTED_COMPRESSION')
      return hopeless('it is too old: Kafka 2.4 is the least');
    if (typeof message !== 'string') continue;
    if (/timed out/i.test(message)) return passing('nobody answered in time');
    if (message.startsWith('Connection closed'))
      return passing('the connection was closed (does the broker ask for `auth`, or for `tls`?)');
  }
  return passing('the brokers cannot be reached');
}

/** What the protocol calls an error, in words. */
export function meaningOf(apiId: string): Trouble {
  const known = protocol[apiId];
  return { detail: known ? `${known.detail} (${apiId})` : apiId, hopeless: known?.hopeless ?? false };
}

/** The broker refused a record: `kafka-message-too-large` …, permanent where another try would end alike. */
export function refusal(apiId: string, endpoint: string, topic: string): Failure {
  const { detail, hopeless: lasting } = meaningOf(apiId);
  const code = `kafka-${apiId
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/-exception$/, '')}`;
  const message = `${endpoint} could not write to the topic ${topic}: ${detail}`;
  return customFailure(code, lasting ? 'permanent' : 'transient', 502, message, { endpoint, topic, sent: true });
}

export const unreachable = (endpoint: string, detail: string, sent: boolean): Failure =>
  failure('connection', { endpoint, detail, sent });
