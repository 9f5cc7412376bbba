/** How many bytes follow the first one, for each form that has a fixed size. */
const FIXED: ReadonlyMap<number, number> = new Map([
  ...[[0xc0, 0], [0xc2, 0], [0xc3, 0], [0xca, 4], [0xcb, 8]],
  ...[[0xcc, 1], [0xcd, 2], [0xce, 4], [0xcf, 8], [0xd0, 1], [0xd1, 2], [0xd2, 4], [0xd3, 8]],
  ...[[0xd4, 2], [0xd5, 3], [0xd6, 5], [0xd7, 9], [0xd8, 17]],
] as [number, number][]);

/** How many bytes hold the length, and what follows it: bytes (with more for an extension), or values. */
const SIZED: ReadonlyMap<number, { readonly width: 1 | 2 | 4; readonly extra: number }> = new Map([
  ...[[0xc4, 1], [0xc5, 2], [0xc6, 4], [0xd9, 1], [0xda, 2], [0xdb, 4]]
    .map(([form, width]) => [form, { width, extra: 0 }]),
  ...[[0xc7, 1], [0xc8, 2], [0xc9, 4]].map(([form, width]) => [form, { width, extra: 1 }]),
] as [number, { width: 1 | 2 | 4; extra: number }][]);

/**
 * Where the MessagePack value that starts at `start` ends, or `undefined` if it is cut off or
 * malformed. It allocates nothing and does not recurse, however deep the value is.
 */
export function endOfValue(bytes: Uint8Array, start: number): number | undefined {
  let at = start;
  for (let pending = 1; pending > 0; pending--) {
    const form = bytes[at++];
    if (form === undefined) return undefined;
    if (form < 0x80 || form >= 0xe0) continue;
    const children = childrenOf(bytes, form, at);
    if (children !== undefined) {
      at += form < 0xa0 ? 0 : form & 1 ? 4 : 2;
      pending += children;
      // Every value takes a byte at least: a count beyond that is a lie.
      if (pending - 1 > bytes.length - at) return undefined;
      continue;
    }
    const size = sizeOf(bytes, form, at);
    if (size === undefined) return undefined;
    at += size;
    if (at > bytes.length) return undefined;
  }
  return at;
}

/** How many values an array or map holds; `undefined` for other forms. */
function childrenOf(bytes: Uint8Array, form: number, at: number): number | undefined {
  if (form < 0x90) return (form & 0x0f) * 2;
  if (form < 0xa0) return form & 0x0f;
  if (form < 0xdc || form > 0xdf) return undefined;
  const count = unsigned(bytes, at, form & 1 ? 4 : 2);
  return form >= 0xde ? count * 2 : count;
}

/** How many bytes follow the form of a scalar; `undefined` for a form that does not exist. */
function sizeOf(bytes: Uint8Array, form: number, at: number): number | undefined {
  if (form < 0xc0) return form & 0x1f;
  const sized = SIZED.get(form);
  if (sized === undefined) return FIXED.get(form);
  return sized.width + sized.extra + unsigned(bytes, at, sized.width);
}

function unsigned(bytes: Uint8Array, at: number, width: 1 | 2 | 4): number {
  let value = 0;
  // Beyond the end reads as the largest, which no value can hold.
  for (let i = 0; i < width; i++) value = value * 256 + (bytes[at + i] ?? 0xff);
  return value;
}
