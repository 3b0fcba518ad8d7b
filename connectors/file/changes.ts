// Beyond that a log is no help to anybody, and memory must have a bound.
const most = 1000;

/** Remembers what was said last about a subject, so that a trouble that lasts is one line in the log, not one a second. */
export class Changes {
  readonly #said = new Map<string, string>();

  /** Whether `text` is news about `subject`. Nothing to say (`''`) is news only after something was said. */
  isNew(subject: string, text: string): boolean {
    const before = this.#said.get(subject) ?? '';
    if (before === text) return false;
    if (this.#said.size >= most) this.#said.clear();
    if (text === '') this.#said.delete(subject);
    else this.#said.set(subject, text);
    return true;
  }
}
