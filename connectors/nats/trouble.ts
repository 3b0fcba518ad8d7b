import { Failure, failure, socketTrouble, type Trouble } from '#sdk';

/** What the library and the network say, in words that hold neither secrets nor payloads. */
export function explain(thrown: unknown): Trouble {
  if (thrown instanceof Refused) return { detail: thrown.message, hopeless: thrown.hopeless };
  if (thrown instanceof Failure) {
    return { detail: String(thrown.facts['detail'] ?? thrown.message), hopeless: thrown.code === 'startup' };
  }
  const { name, code, cause } = thrown as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly cause?: unknown;
  };
  const message = thrown instanceof Error ? thrown.message : '';
  const network = socketTrouble(
    typeof code === 'string' ? code : (cause as { readonly code?: unknown } | undefined)?.code,
  );
  if (network) return network;
  switch (name) {
    case 'AuthorizationError':
      return /timeout/i.test(message)
        ? { detail: 'the server waited in vain for our credentials' }
        : {
            detail: 'the server refuses us: look at `username` and `password`, `token`, `nkey` or `credentials`',
            hopeless: true,
          };
    case 'UserAuthenticationExpiredError':
      return { detail: 'our credentials have expired', hopeless: true };
    case 'TimeoutError':
      return { detail: 'no answer in time' };
    case 'PermissionViolationError':
      return { detail: `the user has no permission: ${permission(thrown)}`, hopeless: true };
    case 'JetStreamNotEnabled':
      return { detail: 'JetStream is not enabled there: start the server with `--jetstream`', hopeless: true };
    case 'ConnectionError':
      if (/does not support 'tls'/.test(message)) {
        return { detail: 'the server speaks no TLS: drop `tls` and write `nats:`, or enable it there', hopeless: true };
      }
      return { detail: /refused/.test(message) ? 'nobody listens there' : 'the connection failed' };
    default:
      return isApiError(thrown) ? apiTrouble(thrown) : { detail: 'the connection was closed' };
  }
}

/** Something that the server said, or that it is set up in a way that does not fit. */
export class Refused extends Error {
  readonly hopeless: boolean;

  constructor(message: string, { hopeless = true }: { readonly hopeless?: boolean } = {}) {
    super(message);
    this.hopeless = hopeless;
  }
}

const permission = (thrown: unknown): string => {
  const { operation, subject } = thrown as { readonly operation?: unknown; readonly subject?: unknown };
  return `${operation === 'publish' ? 'to publish to' : 'to subscribe to'} \`${String(subject)}\``;
};

/** An answer of the JetStream API: `description` is the server's own text about names and limits. */
interface ApiError {
  readonly code: number;
  readonly description: string;
}

function isApiError(thrown: unknown): thrown is { apiError(): ApiError } {
  return typeof (thrown as { apiError?: unknown } | undefined)?.apiError === 'function';
}

function apiTrouble(thrown: { apiError(): ApiError }): Trouble {
  const { code, description } = thrown.apiError();
  return { detail: `the server says: ${description}`, hopeless: code < 500 };
}

/** A call that failed after it was handed to the library. */
export function callFailure(thrown: unknown, endpoint: string, subject: string): Failure {
  if (thrown instanceof Failure) return thrown;
  const cause = (thrown as { readonly cause?: unknown }).cause;
  const inner = cause instanceof Error ? cause : thrown;
  const name = (inner as { readonly name?: unknown }).name;
  if (name === 'InvalidArgumentError' && /max_payload/.test((inner as Error).message)) {
    return failure(
      'bad-request',
      { detail: `it is larger than ${endpoint} takes (max_payload)`, sent: false },
      { cause: thrown },
    );
  }
  if (name === 'PermissionViolationError') {
    const facts = { endpoint, detail: `the user may not publish to \`${subject}\``, sent: false };
    return failure('refused', facts, { cause: thrown, kind: 'permanent' });
  }
  const { detail } = explain(inner);
  return failure('connection', { endpoint, detail, sent: true }, { cause: thrown });
}
