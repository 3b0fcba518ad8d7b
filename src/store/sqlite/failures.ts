import { type Failure, failure } from '../../errors.ts';

/** Result codes of SQLite (sqlite.org/rescode.html): the low byte says what kind it is. */
const kinds = { busy: 5, readOnly: 8, io: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 } as const;

type Kind = keyof typeof kinds;

const codeOf = (thrown: unknown): number | undefined =>
  thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode : undefined;

const isKind = (thrown: unknown, kind: Kind): boolean => {
  const code = codeOf(thrown);
  return code !== undefined && (code & 0xff) === kinds[kind];
};

export const isBusy = (thrown: unknown): boolean => isKind(thrown, 'busy');

/** After these nobody can say what is on the disk: an fsync that failed once may report success the next time. */
export const isFatal = (thrown: unknown): boolean =>
  isKind(thrown, 'io') || isKind(thrown, 'corrupt') || isKind(thrown, 'notADatabase');

/** An error of a store that is open. */
export function sqliteFailure(path: string, thrown: unknown): Failure {
  return failure('store', { store: 'sqlite', detail: `${describe(thrown)} (${path})` }, { cause: thrown });
}

export function describe(thrown: unknown): string {
  if (isKind(thrown, 'full')) return 'the disk is full';
  if (isKind(thrown, 'readOnly')) return 'the file, or the folder it is in, cannot be written';
  if (isKind(thrown, 'cantOpen')) return 'the file, or one beside it, cannot be opened or made';
  if (isKind(thrown, 'notADatabase')) return 'the file is not an SQLite database';
  if (isKind(thrown, 'corrupt')) return 'the file is damaged; bring back a backup, or move it away to begin anew';
  const code = codeOf(thrown);
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return code === undefined ? text : `${text} (SQLite error ${code})`;
}
