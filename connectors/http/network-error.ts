import { Failure, failure } from '#sdk';

/** What undici and the network say, in the words of the error table. `sent`: bytes may have been written. */
export function fromNetwork(error: unknown, endpoint: string, sent: boolean): Failure {
  if (error instanceof Failure) return error;
  const { name, code = '', message = String(error) } = error as NodeJS.ErrnoException;
  const cause = { cause: error };
  if (name === 'HTTPParserError' || brokenAnswer.has(code)) {
    return failure('invalid-response', { endpoint, detail: message }, cause);
  }
  switch (code) {
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return failure('bad-request', { detail: message, sent: false }, cause);
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return failure('timeout', { endpoint, ms: silenceMs, sent }, cause);
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return failure('stopping', {}, cause);
    default:
      return failure('connection', { endpoint, detail: detailOf(error, code, message), sent }, cause);
  }
}

/** How long a service may be silent where no timeout or deadline ends the call before. */
export const silenceMs = 300_000;

const brokenAnswer = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
]);

function detailOf(error: unknown, code: string, message: string): string {
  // A name with several addresses (localhost) fails once for each.
  if (error instanceof AggregateError && message === '') {
    return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
  }
  return message === '' ? code : message;
}
