import { assertEquals } from "@std/assert";
import { decode, encode } from "@msgpack/msgpack";
import { hex, unhex } from "../../kit/hex.ts";
import { type Frame, Opcode } from "../../kit/socket.ts";
import type { ReceiveStep } from "./transcripts.ts";

/** A message: an object in JSON, an array in MessagePack. */
export type WireRecord = Readonly<Record<string, unknown>> | readonly unknown[];

/** The messages of JSON text; each must be whole. */
export function jsonRecords(text: string): WireRecord[] {
  const records = text.split("\x1e");
  assertEquals(records.pop(), "", `whole records in ${text}`);
  return records.map((record) => JSON.parse(record));
}

/** The messages of MessagePack bytes; each must be whole. */
export function packedRecords(bytes: Uint8Array): WireRecord[] {
  const records: WireRecord[] = [];
  for (let at = 0; at < bytes.length;) {
    let length = 0;
    for (let shift = 0;; shift += 7) {
      const byte = bytes[at++] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const record = bytes.subarray(at, at + length);
    assertEquals(record.length, length, `whole records in ${hex(bytes)}`);
    records.push(decode(record) as readonly unknown[]);
    at += length;
  }
  return records;
}

/** The messages of a frame that the server has sent. */
export function frameRecords({ opcode, final, payload }: Frame): WireRecord[] {
  assertEquals(final, true, "no fragments");
  if (opcode === Opcode.Binary) return packedRecords(payload);
  const text = new TextDecoder().decode(payload);
  assertEquals(opcode, Opcode.Text, text);
  return jsonRecords(text);
}

/** The messages that a transcript expects in one step. */
export function stepRecords({ text, hex, packed }: ReceiveStep): WireRecord[] {
  if (packed !== undefined) return [packed];
  return hex === undefined ? jsonRecords(text ?? "") : packedRecords(unhex(hex));
}

/** A short MessagePack message with its length before it. */
export function packedBytes(record: readonly unknown[]): Uint8Array {
  const bytes = encode(record);
  if (bytes.length > 0x7f) throw new Error("Cannot prefix record: it is too long for one byte");
  return new Uint8Array([bytes.length, ...bytes]);
}

/** The type number of a message. */
export function typeOf(record: WireRecord): unknown {
  return Array.isArray(record) ? record[0] : (record as { type?: unknown }).type;
}
