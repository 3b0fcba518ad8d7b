import type { Clock, Failure } from '#sdk';
import { type Claim, Claims } from './claims.ts';
import type { Folders } from './folders.ts';
import { moveInto } from './move.ts';

/** Moves a file whose flow succeeded to the folder `done`, or deletes it. */
export async function putDone(claim: Claim, folders: Folders, clock: Clock): Promise<string | undefined> {
  if (folders.done === undefined) {
    await Claims.remove(claim);
    return undefined;
  }
  return moveInto(folders.done, { from: claim.path, name: claim.name, at: clock.now() });
}

/** Why a file failed, for whoever finds it: no content, and nothing that an answer may not show. */
export interface Report {
  readonly integration: string;
  readonly version: string | undefined;
  readonly flow: string;
}

/** Moves a file that failed for good to the folder `failed`, with `<name>.error.json` beside it. */
export function putFailed(
  claim: Claim,
  error: Failure,
  report: Report,
  folders: Folders,
  clock: Clock,
): Promise<string> {
  const at = clock.now();
  const { code, kind, message, place, outcome, facts } = error;
  const text = JSON.stringify(
    {
      file: claim.name,
      failedAt: new Date(at).toISOString(),
      ...report,
      attempts: claim.attempt,
      code,
      kind,
      place,
      outcome,
      message,
      findings: facts['findings'],
    },
    null,
    2,
  );
  const file = { from: claim.path, name: claim.name, at };
  return moveInto(folders.failed, file, `${text}\n`);
}
