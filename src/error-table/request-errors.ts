import { type Entry, list } from './entry.ts';

/** What is wrong with a message as it came, with the answer to it, or with who sent it. */
export const requestErrors = {
  malformed: {
    kind: 'permanent',
    status: 400,
    text: (f) => `The ${f['format'] ?? 'body'} cannot be ${f['action'] ?? 'read'}: ${f['detail']}`,
    help: 'The bytes are not what the content type says: correct the sender, or the content-type header. Or a value has no form in the format that it is written in: the detail says what.',
  },
  validation: {
    kind: 'permanent',
    status: 400,
    text: (f) => `The message is not valid: ${list(f['findings'] ?? f['detail'])}`,
    help: 'Every finding is listed under `findings`, each with the JSON pointer of the value.',
  },
  'bad-request': {
    kind: 'permanent',
    status: 400,
    text: (f) =>
      f['sent'] === false
        ? `The message cannot be sent: ${f['detail']}`
        : `The request cannot be served: ${f['detail']}`,
    help: 'The request itself breaks a rule of HTTP or of the path it names. Or a step sends what its endpoint cannot send: no such header, key or path can be.',
  },
  'unsupported-media-type': {
    kind: 'permanent',
    status: 415,
    text: (f) =>
      Array.isArray(f['accepted'])
        ? `A body of type ${f['contentType'] ?? 'application/json'} is not taken here; taken is ${list(f['accepted'], ', ')}`
        : `A body of type ${f['contentType'] ?? 'unknown'} cannot be read as a value`,
    help: 'Send JSON, XML, a form or text, or what the contract of the source lists; or let the flow relay the body without looking at it.',
  },
  'unsupported-encoding': {
    kind: 'permanent',
    status: 415,
    text: (f) =>
      `A body with the content encoding ${f['encoding']} cannot be read; known are ${list(f['known'], ', ')}`,
    help: 'Send the body as it is, without `content-encoding`, or with one that the header `accept-encoding` of the answer names.',
  },
  'contract-reply': {
    kind: 'permanent',
    status: 500,
    text: (f) => `The answer of ${f['flow']} breaks the contract of ${f['operation']}: ${list(f['broken'])}`,
    shown: () => 'The answer breaks its own contract',
    help: 'The flow answered what its OpenAPI document does not promise, and its source says `answers: refuse`. What it had done is done; correct the flow, or the document. The log has every finding.',
  },
  'contract-request': {
    kind: 'permanent',
    status: 500,
    text: (f) => `The call of ${f['operation']} at ${f['endpoint']} breaks its contract: ${list(f['broken'])}`,
    shown: (f) => `A call of ${f['endpoint']} cannot be made`,
    help: 'Nothing was sent: `params` or body of the call are not what the OpenAPI document of the endpoint asks for. Check what comes in by `validate` or a contract of the source.',
  },
  'contract-answer': {
    kind: 'permanent',
    status: 502,
    text: (f) => `The answer of ${f['endpoint']} to ${f['operation']} breaks its contract: ${list(f['broken'])}`,
    shown: (f) => `The answer of ${f['endpoint']} cannot be used`,
    help: 'The service did what was asked, and answered what its OpenAPI document does not promise. With `answers: warn` in the `contract` of the endpoint such answers pass.',
  },
  'too-large': {
    kind: 'permanent',
    status: 413,
    text: (f) => `The body is larger than the ${f['limit']} bytes allowed`,
    help: 'Raise `from.http.maxBody`, or send less.',
  },
  'response-too-large': {
    kind: 'permanent',
    status: 502,
    text: (f) => `The answer of ${f['endpoint']} is larger than the ${f['limit']} bytes allowed`,
    help: 'Raise `maxResponse` on the endpoint, or relay the answer without looking at it.',
  },
  unauthenticated: {
    kind: 'permanent',
    status: 401,
    text: () => 'The caller did not show who it is, or what it showed is not valid',
    help: 'The `WWW-Authenticate` header says what is asked for. Why exactly a caller was refused stands in the log, at level `debug`, and as `reason` in the metric `dowel_http_refused_total`.',
  },
  'insufficient-scope': {
    kind: 'permanent',
    status: 403,
    text: () => 'The token of the caller does not have all the scopes that are needed here',
    help: 'The scopes are those of `auth` at the source; the `WWW-Authenticate` header lists them.',
  },
  forbidden: {
    kind: 'permanent',
    status: 403,
    text: () => 'The caller is known, and may not do this',
    help: 'What `when` under `auth` of the source asks for does not hold for this caller.',
  },
  'auth-unavailable': {
    kind: 'transient',
    status: 503,
    text: (f) => `Who the caller is cannot be checked just now: ${f['detail']}`,
    shown: () => 'Who the caller is cannot be checked just now',
    help: 'The server of keys, or that of tokens, cannot be reached; nobody is let in unchecked. The log says why.',
  },
  'no-token': {
    kind: 'permanent',
    status: 403,
    text: (f) => `${f['endpoint']} needs the token of the caller, and this message has none (any more)`,
    shown: () => 'The token of the caller is needed, and there is none',
    help: '`auth: { forward: … }` and `tokenExchange` pass on the token by which the source knew its caller. It is never kept: a message that comes from the store has none.',
  },
  'token-refused': {
    kind: 'permanent',
    status: 502,
    text: (f) => `The token server of ${f['endpoint']} gave no token: ${f['detail']}`,
    shown: (f) => `The token server of ${f['endpoint']} gave no token`,
    help: 'Its answer names the reason (RFC 6749 §5.2): wrong credentials of the client, scopes or audience that it may not have.',
  },
  'token-unavailable': {
    kind: 'transient',
    status: 502,
    text: (f) => `The token server of ${f['endpoint']} cannot be used: ${f['detail']}`,
    shown: (f) => `The token server of ${f['endpoint']} cannot be used`,
    help: 'It cannot be reached, is too slow or says that it is in trouble. Nothing was sent to the endpoint.',
  },
  'not-found': {
    kind: 'permanent',
    status: 404,
    text: (f) => `Nothing is served at ${f['path']}`,
    help: 'The paths are those of the `from.http` sources.',
  },
  'method-not-allowed': {
    kind: 'permanent',
    status: 405,
    text: (f) => `${f['method']} is not served at ${f['path']}; allowed: ${list(f['allow'], ', ')}`,
    help: 'The `Allow` header lists what is served at that path.',
  },
} satisfies Record<string, Entry>;
