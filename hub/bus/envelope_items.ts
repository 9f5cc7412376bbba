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

/** Writes an array with a timeout, or without if there is none. */
export function writeTimeout(writer: PackWriter, timeout: number | undefined): void {
  writer.array(timeout === undefined ? 0 : 1);
  if (timeout !== undefined) writer.integer(timeout);
}

/** Reads an array that starts with a timeout; anything else counts as no timeout. */
export function readTimeout(reader: PackReader): number | undefined {
  return reader.isArray() && reader.array() > 0 ? reader.integer() : undefined;
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
