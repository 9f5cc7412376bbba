import { PackError, type PackReader } from "../protocol/pack/reader.ts";
import { PackWriter } from "../protocol/pack/writer.ts";

/** How deep the values nest that later versions may put behind the known items. */
export const MAXIMUM_DEPTH = 8;

/** The bytes that `content` writes: a view that is valid until the next writer is made. */
export function write(content: (writer: PackWriter) => void): Uint8Array {
  const writer = new PackWriter();
  try {
    content(writer);
  } finally {
    writer.release();
  }
  return writer.finish();
}

/** Writes an array of numbers; those at its end that are `undefined` are left out. */
export function writeNumbers(
  writer: PackWriter,
  ...numbers: readonly (number | undefined)[]
): void {
  const given = numbers.filter((number) => number !== undefined);
  writer.array(given.length);
  for (const number of given) writer.integer(number);
}

/** Reads an array of numbers; anything else counts as an empty array. */
export function readNumbers(reader: PackReader): number[] {
  if (!reader.isArray()) return [];
  return Array.from({ length: Math.min(reader.array(), 2) }, () => reader.integer());
}

/** Checks the length of an array. */
export function atLeast(items: number, wanted: number, kind: string): number {
  if (items >= wanted) return items;
  throw new PackError(`Insufficient items in ${kind} array.`);
}

/** A count cannot exceed the bytes there are: refused before anything is allocated for it. */
export function bounded(count: number, payload: Uint8Array): number {
  if (count <= payload.length) return count;
  throw new PackError("Cannot read payload: it ends too early");
}
