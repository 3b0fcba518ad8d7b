import { Failure, failure, toFailure } from '#sdk';

interface Meaning {
  readonly text: string;
  /** Waiting does not help: the same call fails again until somebody changes the file or the settings. */
  readonly permanent?: true;
}

const meanings: Readonly<Record<string, Meaning>> = {
  EACCES: { text: 'permission denied', permanent: true },
  EBUSY: { text: 'it is busy' },
  EDQUOT: { text: 'the disk quota is used up' },
  EEXIST: { text: 'something of that name exists', permanent: true },
  EFBIG: { text: 'the file would become larger than the file system allows', permanent: true },
  EIO: { text: 'the device reports an error' },
  EISDIR: { text: 'it is a folder: give the `name` of a file in it', permanent: true },
  ELOOP: { text: 'it is a symbolic link, which is not followed', permanent: true },
  EMFILE: { text: 'this process has too many files open' },
  ENAMETOOLONG: { text: 'the name is too long', permanent: true },
  ENFILE: { text: 'the system has too many files open' },
  ENOENT: { text: 'it does not exist' },
  ENOSPC: { text: 'no space is left on the device' },
  ENOTDIR: { text: 'a part of the path is not a folder', permanent: true },
  EPERM: { text: 'the operation is not permitted', permanent: true },
  EROFS: { text: 'the file system is read-only', permanent: true },
};

/** `ENOENT` …; `undefined` for what the operating system did not say. */
export const systemCode = (thrown: unknown): string | undefined =>
  thrown instanceof Error && 'syscall' in thrown && 'code' in thrown ? String(thrown.code) : undefined;

/** What happened, in words a person can act on, with the system's code. */
export function systemDetail(thrown: unknown): string {
  const code = systemCode(thrown);
  if (code !== undefined) return `${meanings[code]?.text ?? 'the operation failed'} (${code})`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The failure `file` for an error of the operating system, with the kind that fits; others stay what they are. */
export function fileFailure(path: string, thrown: unknown): Failure {
  if (systemCode(thrown) === undefined) return toFailure(thrown);
  const facts = { path, detail: systemDetail(thrown) };
  const error = failure('file', facts, { cause: thrown });
  if (!meanings[systemCode(thrown) ?? '']?.permanent) return error;
  return new Failure(error.code, 'permanent', error.status, error.message, facts, thrown);
}
