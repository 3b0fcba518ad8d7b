import { type Failure, failure } from '#sdk';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process uses it; stop that one, or set another `server.port`',
  EACCES: 'this user may not; choose a port above 1023',
  EADDRNOTAVAIL: 'this machine does not have that address; correct `server.host`',
  ENOTFOUND: 'the name of the host is not known; correct `server.host`',
};

/** Why a port could not be opened, and what to do about it. */
export function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Failure {
  const detail = reasons[error.code ?? ''] ?? error.message;
  return failure('startup', { what: `Port ${port} of ${host}`, detail, port }, { cause: error });
}
