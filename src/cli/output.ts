/** A result, on stdout. */
export function print(text: string): void {
  const { stdout } = process;
  // Whoever reads may have seen enough: `dowel graph … | head`.
  if (stdout.listenerCount('error') === 0) {
    stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      throw error;
    });
  }
  stdout.write(text);
}

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
