/** Is told of every value in a value but for small integers, in their order. */
export interface PackVisitor {
  /** `form` is its first byte; `start` and `end` are where its content is, for text and bytes alone. */
  visit(form: number, start: number, end: number): void;
}

/**
 * Where the MessagePack value that starts at `start` ends, or `undefined` if it is cut off or
 * malformed. It allocates nothing and does not recurse, however deep the value is.
 */
export function endOfValue(
  bytes: Uint8Array,
  start: number,
  visitor?: PackVisitor,
): number | undefined {
  let at = start;
  for (let pending = 1; pending > 0; pending--) {
    const form = bytes[at++];
    if (form === undefined) return undefined;
    if (form < 0x80 || form >= 0xe0) continue;
    const width = widthOf(form);
    if (width === undefined) return undefined;
    const count = width === 0 ? countOf(form) : unsigned(bytes, at, width);
    at += width;
    if (isContainer(form)) {
      pending += isMap(form) ? 2 * count : count;
      // Every value takes a byte at least: a count beyond that is a lie.
      if (pending - 1 > bytes.length - at) return undefined;
      visitor?.visit(form, at, at);
      continue;
    }
    const end = at + count + (form >= 0xc7 && form <= 0xc9 ? 1 : 0);
    if (end > bytes.length) return undefined;
    visitor?.visit(form, at, end);
    at = end;
  }
  return at;
}

/** Whether values follow the form: it is an array or a map. */
export function isContainer(form: number): boolean {
  return form < 0xa0 || form >= 0xdc;
}

function isMap(form: number): boolean {
  return form < 0x90 || form >= 0xde;
}

/** How many bytes hold the length of what follows; 0 if the form says it, `undefined` if it does not exist. */
function widthOf(form: number): 0 | 1 | 2 | 4 | undefined {
  if (form < 0xc0) return 0;
  switch (form) {
    case 0xc1:
      return undefined;
    case 0xc4:
    case 0xc7:
    case 0xd9:
      return 1;
    case 0xc5:
    case 0xc8:
    case 0xda:
    case 0xdc:
    case 0xde:
      return 2;
    case 0xc6:
    case 0xc9:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4;
    default:
      return 0;
  }
}

/** How many values or bytes follow a form that says it itself. */
function countOf(form: number): number {
  if (form < 0xa0) return form & 0x0f;
  return form < 0xc0 ? form & 0x1f : SCALARS[form - 0xc0] ?? 0;
}

/** The bytes that follow the forms from 0xc0 on; 0 where there are none, or {@link widthOf} knows. */
const SCALARS = new Uint8Array(0x20);
for (const form of [0xcc, 0xd0]) SCALARS[form - 0xc0] = 1;
for (const form of [0xcd, 0xd1, 0xd4]) SCALARS[form - 0xc0] = 2;
for (const form of [0xca, 0xce, 0xd2]) SCALARS[form - 0xc0] = 4;
for (const form of [0xcb, 0xcf, 0xd3]) SCALARS[form - 0xc0] = 8;
SCALARS[0xd5 - 0xc0] = 3;
SCALARS[0xd6 - 0xc0] = 5;
SCALARS[0xd7 - 0xc0] = 9;
SCALARS[0xd8 - 0xc0] = 17;

function unsigned(bytes: Uint8Array, at: number, width: 1 | 2 | 4): number {
  let value = 0;
  // Beyond the end reads as the largest, which no value can hold.
  for (let i = 0; i < width; i++) value = value * 256 + (bytes[at + i] ?? 0xff);
  return value;
}
