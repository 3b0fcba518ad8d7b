/** Chatter goes to stderr; results go to stdout. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function fail(text: string): void {
  process.stderr.write(`dowel: ${text}\n`);
}

/** Whether a stream may be coloured (no-color.org). */
export function colorful(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env['NO_COLOR'];
}
