/** What `$segments(x)` yields: text whose slashes stay separators when a path template encodes it. */
export class Segments {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}
