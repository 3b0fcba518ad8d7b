/**
 * Every error a message can end with. The table is the one source of the codes: sources answer from it, policies
 * decide by it, the reference page is printed from it.
 */
import { type Entry, list } from './error-table/entry.ts';
import { requestErrors } from './error-table/request-errors.ts';

export type { Entry, Facts, Kind } from './error-table/entry.ts';

export const errorTable = {
  ...requestErrors,
  expression: {
    kind: 'permanent',
    status: 500,
    text: (f) => `The expression ${f['expression']} failed: ${f['detail']}`,
    shown: () => 'An expression of the integration failed; the log says why, under this id',
    help: 'The message does not have what the expression needs, or the expression asks for something impossible.',
  },
  'expression-limit': {
    kind: 'permanent',
    status: 500,
    text: (f) => `The expression ${f['expression']} was stopped: ${f['detail']}`,
    shown: () => 'An expression of the integration was stopped; the log says why, under this id',
    help: 'An expression has limits of time, depth and size. Simplify it, or move the work to a `script` step.',
  },
  'no-value': {
    kind: 'permanent',
    status: 500,
    text: (f) => `The hole \`${f['expression']}\` yielded nothing where text was needed`,
    shown: () => 'The message lacks something that the integration needs; the log says what, under this id',
    help: 'Inside joined text and in paths a hole must yield a value. Give a default: `${{ name ? name : "x" }}`.',
  },
  'no-key': {
    kind: 'permanent',
    status: 400,
    text: (f) => `The message has no key: ${f['expression']} yielded nothing`,
    help: 'The sender must give what `key` asks for. Where it may be missing, put a `when` on the step.',
  },
  'key-reused': {
    kind: 'permanent',
    status: 422,
    text: () => 'The key of this message was used before, for another one',
    help: 'A repeat must be what it repeats, byte for byte: body, method, path and query. A new request needs a new key.',
  },
  'duplicate-in-flight': {
    kind: 'rejected',
    status: 409,
    text: () => 'A message with the same key is under way',
    help: 'Nothing was started. Ask again after `Retry-After`: then there is an answer, or the key is free.',
  },
  'reply-not-kept': {
    kind: 'permanent',
    status: 410,
    text: () => 'This was done before, and its reply was too large to be kept',
    help: 'It was not done again. Let the reply be smaller, or fetch the result in another way.',
  },
  'no-claim': {
    kind: 'permanent',
    status: 404,
    text: () => 'Nothing is kept under this claim (any more)',
    help: 'The claim is wrong, or older than `retain` of the step that stored it.',
  },
  unmatched: {
    kind: 'permanent',
    status: 422,
    text: (f) => `No case of ${f['step'] ?? 'the switch'} matched, and it has no \`otherwise\``,
    help: 'Add a case, or `otherwise`.',
  },
  'unknown-endpoint': {
    kind: 'permanent',
    status: 500,
    text: (f) => `The recipient list named ${f['name']}, which is not one of its endpoints`,
    help: '`endpoints` must yield names under `endpoints:` that all belong to the connector of the step.',
  },
  'unknown-flow': {
    kind: 'permanent',
    status: 400,
    text: (f) => `The routing slip named ${f['name']}, which is not one of its flows: ${list(f['among'], ', ')}`,
    shown: (f) => `The routing slip named ${f['name']}, which is not one of its flows`,
    help: 'What `flows` of the step yields must be names that stand under its `among`.',
  },
  'too-many-iterations': {
    kind: 'permanent',
    status: 500,
    text: (f) => `The loop was still going after ${f['maxIterations']} rounds`,
    help: 'Raise `maxIterations`, or correct `while`.',
  },
  script: {
    kind: 'permanent',
    status: 500,
    text: (f) => `The script ${f['module']} failed: ${f['detail']}`,
    shown: () => 'A script of the integration failed; the log says why, under this id',
    help: 'The module threw. An error with `code` and `kind` of its own keeps them.',
  },
  branches: {
    kind: 'permanent',
    status: 502,
    text: (f) => `${f['succeeded']} of ${f['total']} succeeded, ${f['required']} were required: ${list(f['failures'])}`,
    help: 'Too many branches or recipients failed for `require`; `$error.facts.failed` has the error of each. Transient when enough of them may succeed later.',
  },
  failed: {
    kind: 'permanent',
    status: 500,
    text: (f) => String(f['detail'] ?? 'The flow failed on purpose'),
    help: 'A `fail` step without a `code` of its own.',
  },
  'soap-fault': {
    kind: 'permanent',
    status: 502,
    text: (f) =>
      `${f['endpoint'] ?? 'The service'} answered with the SOAP fault ${f['faultCode']}: ${f['faultString']}`,
    help: 'The service understood the envelope and refused. `$error.facts` has the code, the text and the detail.',
  },
  timeout: {
    kind: 'transient',
    status: 504,
    text: (f) => `${f['endpoint'] ?? f['what'] ?? 'The call'} did not answer within ${f['ms']} ms`,
    help: 'Raise `timeout` on the endpoint, or find out why it is slow.',
  },
  deadline: {
    kind: 'transient',
    status: 504,
    text: (f) => `The deadline of ${f['flow'] ?? 'the message'} passed`,
    help: 'Raise `deadline`, or shorten what the flow does.',
  },
  connection: {
    kind: 'transient',
    status: 502,
    text: (f) => `${f['endpoint'] ?? 'The far side'} could not be reached: ${f['detail']}`,
    shown: (f) => `${f['endpoint'] ?? 'The far side'} could not be reached`,
    help: 'Is it running, and is the URL right? The text of the network error is part of the message.',
  },
  unroutable: {
    kind: 'transient',
    status: 502,
    text: (f) => `${f['endpoint'] ?? 'The broker'} has nobody to give the message to: ${f['detail']}`,
    shown: (f) => `${f['endpoint'] ?? 'The broker'} has nobody to give the message to`,
    help: 'Nothing was sent. Correct the routing key, or start whoever reads it; with `mandatory: false` such messages are dropped.',
  },
  refused: {
    kind: 'transient',
    status: 503,
    text: (f) => `${f['endpoint'] ?? 'The broker'} did not take the message: ${f['detail']}`,
    shown: (f) => `${f['endpoint'] ?? 'The broker'} did not take the message`,
    help: 'The broker is there and said no: a queue is full, or something it goes to is missing or not allowed.',
  },
  'invalid-response': {
    kind: 'transient',
    status: 502,
    text: (f) => `${f['endpoint'] ?? 'The far side'} answered something that cannot be used: ${f['detail']}`,
    help: 'The far side broke its protocol, or its body is not what its content type says.',
  },
  'circuit-open': {
    kind: 'rejected',
    status: 503,
    text: (f) =>
      `The circuit breaker of ${f['endpoint']} ${f['byHand'] ? 'was opened by hand' : `is open for another ${f['ms']} ms`}`,
    help: 'The endpoint failed too often. It is probed again when that time is over; opened by hand, it stays open until it is reset.',
  },
  'bulkhead-full': {
    kind: 'rejected',
    status: 503,
    text: (f) => `${f['endpoint']} is busy: ${f['max']} calls are running and the queue is full`,
    help: 'Raise `bulkhead.max` or `queue`, or give the far side more capacity.',
  },
  'rate-limited': {
    kind: 'rejected',
    status: 429,
    text: (f) => `${f['endpoint'] ?? 'This'} is limited to ${f['rate']}`,
    help: 'Wait as long as `Retry-After` says.',
  },
  overloaded: {
    kind: 'rejected',
    status: 503,
    text: (f) => `Too much is going on here: ${f['detail']}`,
    help: 'Nothing was started. Try again after `Retry-After`.',
  },
  paused: {
    kind: 'rejected',
    status: 503,
    text: (f) => `The flow ${f['flow']} is paused: it takes nothing new for now`,
    shown: () => 'This is paused for now',
    help: 'Somebody has paused its source (`POST /flows/{flow}/pause` of the admin server). Nothing was started; `POST /flows/{flow}/resume` lets messages in again.',
  },
  'aggregate-full': {
    kind: 'rejected',
    status: 503,
    text: (f) => `The aggregate has no room for this message: ${f['detail']}`,
    help: 'Raise what the message names (`maxGroups`, `maxMessages`, `maxSize`), or let groups be complete earlier. Permanent where no time completes the group.',
  },
  'resequence-full': {
    kind: 'rejected',
    status: 503,
    text: (f) => `The resequencer has no room for this message: ${f['detail']}`,
    help: 'Raise `maxMessages`, or lower `gapTimeout`.',
  },
  'late-message': {
    kind: 'permanent',
    status: 409,
    text: (f) => `The turn of this message is over: number ${f['sequence']} has come before, or was given up`,
    help: 'It came later than `gapTimeout` of `resequence` allows, or its number is used twice. `late: pass` lets it go on out of order.',
  },
  'channel-full': {
    kind: 'rejected',
    status: 503,
    text: (f) => `The channel ${f['channel']} is full: ${f['capacity']} messages wait in it`,
    help: 'The reader is slower than the writers. Raise its `concurrency` or `capacity`.',
  },
  stopping: {
    kind: 'rejected',
    status: 503,
    text: () => 'The integration is stopping',
    help: 'Nothing was started. Try again elsewhere, or when it is back.',
  },
  'unknown-outcome': {
    kind: 'permanent',
    status: 500,
    text: (f) =>
      `Nobody can say whether ${f['endpoint'] ?? 'the far side'} did what it was asked: the process ended in between`,
    help: 'The call may not be repeated, so the flow is undone. Mark it `idempotent: true` or give an `idempotencyKey` if it may.',
  },
  interrupted: {
    kind: 'permanent',
    status: 500,
    text: (f) =>
      f['attempts'] === undefined
        ? `The message was under way in ${f['flow']} when the process ended, with another version of that flow`
        : `The message was begun ${f['attempts']} times and never finished: the process, or its connection, ended meanwhile`,
    help: 'A message that came as often as `redelivery.maxAttempts` allows is not run any more: it may be what ends the process. One that began with another version of its flow waits in the store until that version is started again.',
  },
  postponed: {
    kind: 'cancelled',
    status: 503,
    text: ({ ms }) => `The message comes again in ${ms} ms`,
    help: 'It failed, and `redelivery` lets it wait at the far side until its next attempt. A flow never sees this error.',
  },
  suspended: {
    kind: 'cancelled',
    status: 503,
    text: () => 'The message goes on when the integration is started again',
    help: 'A durable flow was under way when the process stopped.',
  },
  aborted: {
    kind: 'cancelled',
    status: 499,
    text: (f) => `The message was given up: ${f['detail'] ?? 'the caller went away'}`,
    help: 'The caller closed the connection, or a sibling branch had already won.',
  },
  file: {
    kind: 'transient',
    status: 500,
    text: (f) => `The file ${f['path']} cannot be used: ${f['detail']}`,
    shown: () => 'A file cannot be used; the log says which, under this id',
    help: 'Look at its path, its permissions and the free space.',
  },
  store: {
    kind: 'transient',
    status: 503,
    text: (f) => `The store (${f['store']}) cannot be used: ${f['detail']}`,
    shown: () => 'The store cannot be used; the log says why, under this id',
    help: 'Is it running and reachable, and has it room? Unless `$error.facts.sent` is `false`, what was being written may be there.',
  },
  'store-limit': {
    kind: 'permanent',
    status: 413,
    text: (f) => `The store does not take this: ${f['detail']}`,
    help: 'Keys and values of the store have a largest size (see the page on the store). Use shorter keys, or keep less.',
  },
  startup: {
    kind: 'transient',
    status: 500,
    text: (f) => `${f['what']} could not be opened: ${f['detail']}`,
    help: 'The process ends with exit code 69. Correct what the message names, and start again.',
  },
  bug: {
    kind: 'bug',
    status: 500,
    text: (f) => `Something in Dowel went wrong: ${f['detail']}`,
    shown: () => 'An internal error; the log names it under this id',
    help: 'Please report it, with the log line that names the step.',
  },
} satisfies Record<string, Entry>;
