/**
 * Order of texts by their UTF-8 bytes, which is that of their code points. JavaScript compares UTF-16 code units, and has
 * the pairs that stand for characters above U+FFFF before U+E000.
 */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return inOrder(x) - inOrder(y);
  }
  return a.length - b.length;
}

/** Moves the surrogates behind all other code units. */
const inOrder = (unit: number): number => (unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000);
