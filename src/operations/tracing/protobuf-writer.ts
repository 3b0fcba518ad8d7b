const shortText = 64;

/**
 * Writes Protocol Buffers from the end to the beginning: what is inside of a message is there before its length is
 * written, so nothing is measured or copied twice. Fields come out in the reverse of the order in which they are written.
 */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  /** Where what is written begins. */
  #at = this.#bytes.length;

  finish(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  /** Embedded: `write` writes its fields. */
  message(field: number, write: () => void): void {
    const end = this.#length;
    write();
    this.#varint(this.#length - end);
    this.#tag(field, 2);
  }

  string(field: number, text: string): void {
    const size = this.#ascii(text) ? text.length : this.#utf8(text);
    this.#varint(size);
    this.#tag(field, 2);
  }

  /** Bytes that are given as hexadecimal digits. */
  hex(field: number, digits: string): void {
    const size = digits.length / 2;
    this.#reserve(size);
    this.#at -= size;
    this.#bytes.write(digits, this.#at, 'hex');
    this.#varint(size);
    this.#tag(field, 2);
  }

  /** Of any integer type without zigzag. */
  integer(field: number, value: number): void {
    if (value >= 0) this.#varint(value);
    else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
    this.#tag(field, 0);
  }

  double(field: number, value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
    this.#tag(field, 1);
  }

  fixed64(field: number, value: bigint): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#bytes.writeBigUInt64LE(value, this.#at);
    this.#tag(field, 1);
  }

  fixed32(field: number, value: number): void {
    this.#reserve(4);
    this.#at -= 4;
    this.#bytes.writeUInt32LE(value, this.#at);
    this.#tag(field, 5);
  }

  /** Nearly all texts are short and plain, and calling out for each takes longer than writing it. */
  #ascii(text: string): boolean {
    const { length } = text;
    if (length > shortText) return false;
    this.#reserve(length);
    const at = this.#at - length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      this.#bytes[at + index] = code;
    }
    this.#at = at;
    return true;
  }

  #utf8(text: string): number {
    const size = Buffer.byteLength(text);
    this.#reserve(size);
    this.#at -= size;
    this.#bytes.write(text, this.#at, 'utf8');
    return size;
  }

  get #length(): number {
    return this.#bytes.length - this.#at;
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    if (value > 0x7fff_ffff) {
      this.#bigVarint(BigInt(value));
      return;
    }
    const size = value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
    this.#reserve(size);
    this.#at -= size;
    let rest = value;
    for (let at = this.#at; at < this.#at + size - 1; at++) {
      this.#bytes[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at + size - 1] = rest;
  }

  #bigVarint(value: bigint): void {
    const digits: number[] = [];
    for (let rest = value; digits.length === 0 || rest > 0n; rest >>= 7n) digits.push(Number(rest & 0x7fn));
    this.#reserve(digits.length);
    this.#at -= digits.length;
    digits.forEach((digit, index) => {
      this.#bytes[this.#at + index] = index < digits.length - 1 ? digit | 0x80 : digit;
    });
  }

  #reserve(size: number): void {
    if (this.#at >= size) return;
    const before = this.finish();
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, before.length + size * 2));
    larger.set(before, larger.length - before.length);
    this.#bytes = larger;
    this.#at = larger.length - before.length;
  }
}
