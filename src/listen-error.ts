import { type Failure, failure } from './errors.ts';

const reasons: Readonly<Record<string, (section: string) => string>> = {
  EADDRINUSE: (section) => `another process uses it; stop that one, or set another \`${section}.port\``,
  EACCES: () => 'this user may not; choose a port above 1023',
  EADDRNOTAVAIL: (section) => `this machine does not have that address; correct \`${section}.host\``,
  ENOTFOUND: (section) => `the name of the host is not known; correct \`${section}.host\``,
};

/** Why a port could not be opened, and what to do about it. `section`: where the file says which one. */
export function cannotListen(
  error: NodeJS.ErrnoException,
  { host, port, section }: { readonly host: string; readonly port: number; readonly section: 'server' | 'admin' },
): Failure {
  const detail = reasons[error.code ?? '']?.(section) ?? error.message;
  const what = section === 'admin' ? `The admin port ${port} of ${host}` : `Port ${port} of ${host}`;
  return failure('startup', { what, detail, port }, { cause: error });
}
