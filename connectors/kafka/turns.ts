/** One after the other: the group knows an `instance` once, and after a reload the source before may still be finishing. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when those before have left; the function it comes with leaves. */
  enter(): { readonly come: Promise<void>; readonly leave: () => void } {
    const come = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = come.then(() => promise);
    return { come, leave: resolve };
  }

  async close(): Promise<void> {}
}
