/**
 * A small reader of MessagePack, form by form, that shares no code with the server and none with its
 * codec. It is slow and plain; what a form is stands in one table.
 *
 * @module
 */

/** What stands at one place. Of an array or a map only how much follows. */
export type Token =
  | { readonly kind: "nil" }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "text"; readonly content: Uint8Array }
  | { readonly kind: "bytes"; readonly content: Uint8Array }
  | { readonly kind: "extension"; readonly type: number; readonly content: Uint8Array }
  | { readonly kind: "array"; readonly count: number }
  | { readonly kind: "map"; readonly count: number };

/** Bytes are no MessagePack, or not all of it. */
export class Unpackable extends Error {}

/** Goes through bytes, token by token. */
export class PackCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = at;
  }

  /** Another at the same place. */
  fork(): PackCursor {
    return new PackCursor(this.#bytes, this.#at);
  }

  /** The byte that stands here, which says what form it is; `undefined` at the end. */
  get form(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** What stands here, and goes behind it. */
  token(): Token {
    const form = Number(this.#unsigned(1));
    if (form < 0x80) return { kind: "integer", value: BigInt(form) };
    if (form < 0x90) return { kind: "map", count: form - 0x80 };
    if (form < 0xa0) return { kind: "array", count: form - 0x90 };
    if (form < 0xc0) return { kind: "text", content: this.#take(form - 0xa0) };
    if (form >= 0xe0) return { kind: "integer", value: BigInt(form - 0x100) };
    const read = WIDE.get(form);
    if (read === undefined) throw new Unpackable(`no form 0x${form.toString(16)}`);
    return read(
      (bytes) => this.#unsigned(bytes),
      (length) => this.#take(length),
    );
  }

  /** Goes behind the value that stands here, however deep it is. */
  skip(): void {
    for (let left = 1; left > 0; left--) {
      const token = this.token();
      if (token.kind === "array") left += token.count;
      if (token.kind === "map") left += 2 * token.count;
    }
  }

  #unsigned(bytes: number): bigint {
    let value = 0n;
    for (const byte of this.#take(bytes)) value = value * 256n + BigInt(byte);
    return value;
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#view.byteLength) throw new Unpackable("cut off");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

type Unsigned = (bytes: number) => bigint;
type Take = (length: number) => Uint8Array;
type Form = readonly [form: number, read: (unsigned: Unsigned, take: Take) => Token];

/** The forms from 0xc0 to 0xdf. */
const WIDE: ReadonlyMap<number, Form[1]> = new Map<number, Form[1]>([
  [0xc0, () => ({ kind: "nil" })],
  [0xc2, () => ({ kind: "boolean", value: false })],
  [0xc3, () => ({ kind: "boolean", value: true })],
  ...[1, 2, 4].map((width, index): Form => [0xc4 + index, (unsigned, take) => ({
    kind: "bytes",
    content: take(Number(unsigned(width))),
  })]),
  ...[1, 2, 4].map((width, index): Form => [0xc7 + index, (unsigned, take) => {
    const length = Number(unsigned(width));
    return { kind: "extension", type: signed(unsigned(1), 1), content: take(length) };
  }]),
  [0xca, (_, take) => ({ kind: "float", value: viewOf(take(4)).getFloat32(0) })],
  [0xcb, (_, take) => ({ kind: "float", value: viewOf(take(8)).getFloat64(0) })],
  ...[1, 2, 4, 8].map((width, index): Form => [
    0xcc + index,
    (unsigned) => ({ kind: "integer", value: unsigned(width) }),
  ]),
  ...[1, 2, 4, 8].map((width, index): Form => [
    0xd0 + index,
    (unsigned) => ({ kind: "integer", value: BigInt.asIntN(8 * width, unsigned(width)) }),
  ]),
  ...[1, 2, 4, 8, 16].map((length, index): Form => [0xd4 + index, (unsigned, take) => ({
    kind: "extension",
    type: signed(unsigned(1), 1),
    content: take(length),
  })]),
  ...[1, 2, 4].map((width, index): Form => [0xd9 + index, (unsigned, take) => ({
    kind: "text",
    content: take(Number(unsigned(width))),
  })]),
  ...(["array", "map"] as const).flatMap((kind, at) =>
    [2, 4].map((width, index): Form => [
      0xdc + 2 * at + index,
      (unsigned) => ({ kind, count: Number(unsigned(width)) }),
    ])
  ),
]);

function signed(value: bigint, bytes: number): number {
  return Number(BigInt.asIntN(8 * bytes, value));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
