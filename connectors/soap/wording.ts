import { type Failure, parseContentType, type Wording } from '#sdk';
import { contentTypeOf, type SoapVersion, versionOfMediaType } from './versions.ts';
import { writeFault } from './write.ts';

/** Statuses by which HTTP itself, and what stands between us and the client, knows what happened. */
const ofHttp: ReadonlySet<number> = new Set([401, 403, 405, 408, 413, 415, 417, 429, 431, 503]);

/** The status that goes with a fault: SOAP 1.1 §6.2 knows only 500, SOAP 1.2 part 2 §7.5.2.2 tells Sender faults apart. */
export const statusOfFault = (version: SoapVersion, code: string): number =>
  version === '1.2' && code === 'Client' ? 400 : 500;

/** Errors as faults, in the version in which the client asked. */
export const faultWording = (versions: readonly SoapVersion[]): Wording => ({
  // WS-I Basic Profile 1.1, R2714: a one-way message is answered 202.
  silent: 202,
  error(error, { id, contentType }) {
    const asked = versionOfMediaType(parseContentType(contentType ?? '').mediaType);
    const version = asked ?? versions[0] ?? '1.1';
    const code = codeOf(error);
    const status = ofHttp.has(error.status) ? error.status : statusOfFault(version, code);
    const text = writeFault({
      version,
      code,
      string: error.shown,
      detail: {
        'd:error': {
          'd:code': error.code,
          'd:outcome': error.outcome,
          'd:id': id,
          'd:finding': findingsOf(error),
        },
      },
      namespaces: { d: 'urn:dowel:error' },
    });
    return { status, headers: ['content-type', contentTypeOf(version), ...retryAfter(error)], text };
  },
});

/** What the sender can mend is `Client`; everything else is ours. */
function codeOf({ facts, kind, status }: Failure): string {
  const { fault } = facts;
  if (typeof fault === 'string') return fault;
  return kind === 'permanent' && status < 500 ? 'Client' : 'Server';
}

function findingsOf({ facts }: Failure): readonly string[] | undefined {
  const { findings } = facts;
  if (!Array.isArray(findings)) return undefined;
  return findings.map((one: unknown) => (typeof one === 'string' ? one : JSON.stringify(one)));
}

function retryAfter({ facts, kind }: Failure): readonly string[] {
  const ms = facts['retryAfter'] ?? facts['ms'];
  if (kind !== 'rejected') return [];
  return ['retry-after', String(typeof ms === 'number' && ms > 0 ? Math.ceil(ms / 1000) : 1)];
}
