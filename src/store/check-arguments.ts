/** What no store takes, found before it is asked: sizes and text that come from messages, and mistakes of ours. */
import { type Failure, failure } from '../errors.ts';
import { type ListOptions, limits, type Write } from './store.ts';

const refused = (detail: string, status?: number): Failure =>
  failure('store-limit', { detail }, status === undefined ? {} : { status });
const mistake = (detail: string): Failure => failure('bug', { detail });

/** Throws `store-limit`, or `bug` for what only a mistake in Dowel can ask for. */
export function checkBatch(batch: readonly Write[]): void {
  if (batch.length === 0) throw mistake('an empty batch was to be written');
  if (batch.length > limits.batch) {
    throw refused(`a batch of ${batch.length} entries; at most ${limits.batch} are written at once`);
  }
  const seen = new Set<string>();
  let bytes = 0;
  for (const write of batch) {
    checkAt(write.space, write.key);
    if (batch.length > 1) {
      const at = `${write.space}\0${write.key}`;
      if (seen.has(at)) throw mistake(`one batch writes the key ${write.key} twice`);
      seen.add(at);
    }
    if (write.when !== undefined && write.when !== 'absent') checkVersion(write.when);
    if (write.op === 'delete') continue;
    if (write.ttl !== undefined) checkTtl(write.ttl);
    if (write.op === 'put') bytes += checkedSize(write.value);
    else if (write.when === 'absent' && write.ttl !== undefined) throw mistake('what is absent has no time to live');
  }
  if (bytes > limits.batchBytes) {
    throw refused(`values of ${bytes} bytes in one batch; at most ${limits.batchBytes} are written at once`);
  }
}

/** Throws `store-limit` for a space or key that no store takes. */
export function checkAt(space: string, key: string): void {
  checkSpace(space);
  if (key === '') throw refused('an empty key', 400);
  checkText('key', key, limits.key);
}

export function checkList(space: string, { prefix = '', after = '', limit }: ListOptions): void {
  checkSpace(space);
  checkText('prefix', prefix, limits.key);
  checkText('key', after, limits.key);
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.page) {
    throw mistake(`a page of ${limit} entries; 1 to ${limits.page} can be asked for`);
  }
}

function checkSpace(space: string): void {
  if (space === '') throw mistake('a space without a name');
  checkText('space', space, limits.space);
}

function checkText(what: string, text: string, most: number): void {
  // A character has at most three bytes a code unit: nearly every key is known to fit without being measured.
  const bytes = text.length * 3 <= most ? 0 : Buffer.byteLength(text);
  if (bytes > most) throw refused(`a ${what} of ${bytes} bytes; at most ${most}`, 400);
  // PostgreSQL and others end text at a NUL; a lone surrogate has no UTF-8, and would come back as another key.
  if (text.includes('\0') || !text.isWellFormed()) {
    throw refused(`a ${what} with a NUL character or half a character`, 400);
  }
}

function checkedSize(value: Uint8Array): number {
  if (value.byteLength > limits.value) {
    throw refused(`a value of ${value.byteLength} bytes; at most ${limits.value}`);
  }
  return value.byteLength;
}

function checkTtl(ms: number): void {
  if (!(ms > 0) || ms > limits.ttl) throw mistake(`a time to live of ${ms} ms; more than 0, at most ${limits.ttl}`);
}

function checkVersion(version: number): void {
  if (!Number.isSafeInteger(version) || version < 1) throw mistake(`no entry has the version ${version}`);
}
