import { Failure, failure } from '#sdk';

const plain: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'something of that name exists',
  EIO: 'the device reports an error',
  EISDIR: 'it is a folder: give the `name` of a file in it',
  ELOOP: 'it is a symbolic link, which is not followed',
  EMFILE: 'this process has too many files open',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'the system has too many files open',
  ENOENT: 'it does not exist',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'a part of the path is not a folder',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
};

/** `ENOENT` …; `undefined` for what the operating system did not say. */
export const systemCode = (thrown: unknown): string | undefined =>
  thrown instanceof Error && 'syscall' in thrown && 'code' in thrown ? String(thrown.code) : undefined;

/** What happened, in words a person can act on, with the system's code. */
export function systemDetail(thrown: unknown): string {
  const code = systemCode(thrown);
  if (code !== undefined) return `${plain[code] ?? 'the operation failed'} (${code})`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The failure `file` for an error of the operating system; a Failure stays what it is. */
export function fileFailure(path: string, thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return failure('file', { path, detail: systemDetail(thrown) }, { cause: thrown });
}
