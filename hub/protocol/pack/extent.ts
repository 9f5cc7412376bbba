/**
 * The number of bytes that follow each format from 0xc0 to 0xdf. A negative number is the number of bytes
 * of a length.
 */
// deno-fmt-ignore
const BEHIND: readonly number[] = [
  /* c0: nil, not a format, false, true */ 0, NaN, 0, 0,
  /* c4: binary */ -1, -2, -4,
  /* c7: extension */ -1, -2, -4,
  /* ca: float */ 4, 8,
  /* cc: unsigned integer */ 1, 2, 4, 8,
  /* d0: signed integer */ 1, 2, 4, 8,
  /* d4: extension of a fixed length, behind its type */ 2, 3, 5, 9, 17,
  /* d9: string */ -1, -2, -4,
  /* dc: array */ -2, -4,
  /* de: map */ -2, -4,
];

/**
 * The offset behind the MessagePack value at `start`, or `undefined` if the value is cut off or
 * malformed. Allocates nothing and does not recurse, however deep the value is.
 */
export function endOfValue(bytes: Uint8Array, start: number): number | undefined {
  let at = start;
  for (let pending = 1; pending > 0; pending--) {
    const format = bytes[at++];
    if (format === undefined) return undefined;
    if (format < 0x80 || format >= 0xe0) continue;
    const behind = format < 0xc0 ? 0 : BEHIND[format - 0xc0] ?? 0;
    if (Number.isNaN(behind)) return undefined;
    let count = format < 0xa0 ? format & 0x0f : format < 0xc0 ? format & 0x1f : behind;
    if (behind < 0) {
      count = unsigned(bytes, at, -behind);
      at -= behind;
    }
    if (format >= 0xdc || format < 0xa0) {
      const isMap = format >= 0xde || format < 0x90;
      pending += isMap ? 2 * count : count;
      // Every value takes at least one byte.
      if (pending - 1 > bytes.length - at) return undefined;
    } else {
      const isExtension = format >= 0xc7 && format <= 0xc9;
      at += isExtension ? count + 1 : count;
      if (at > bytes.length) return undefined;
    }
  }
  return at;
}

function unsigned(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  // Bytes beyond the end count as 0xff: no value can be that long.
  for (let i = 0; i < width; i++) value = value * 256 + (bytes[at + i] ?? 0xff);
  return value;
}
