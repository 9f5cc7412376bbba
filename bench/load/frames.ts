/**
 * WebSocket frames, written and read by hand.
 *
 * @module
 */

const encoder = new TextEncoder();

/** The opcodes that are used here. */
export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A masked frame of a client. The mask is zero, so the frame can be prepared and changed later. */
export function clientFrame(
  payload: Uint8Array | string,
  opcode: number,
): Uint8Array<ArrayBuffer> {
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  const extended = bytes.length > 125;
  const start = (extended ? 4 : 2) + 4;
  const frame = new Uint8Array(start + bytes.length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extended ? 126 : bytes.length);
  if (extended) new DataView(frame.buffer).setUint16(2, bytes.length);
  frame.set(bytes, start);
  return frame;
}

/** The extent of the server's frame at `at`; `undefined` if the frame has not arrived completely. */
export function frameAt(bytes: Uint8Array, at: number): FrameBounds | undefined {
  const opcode = (bytes[at] ?? 0) & 15;
  const short = bytes[at + 1];
  if (short === undefined) return undefined;
  let start = at + 2;
  let length = short;
  if (short === 126) {
    start += 2;
    length = (bytes[at + 2] ?? 0) << 8 | (bytes[at + 3] ?? 0);
  } else if (short === 127) {
    start += 8;
    if (bytes.length < start) return undefined;
    length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at + 2));
  }
  const end = start + length;
  if (end > bytes.length || start > bytes.length) return undefined;
  return { opcode, start, end };
}

/** The result of {@link frameAt}. */
export interface FrameBounds {
  readonly opcode: number;
  /** The offset of the payload. */
  readonly start: number;
  /** The offset of the next frame. */
  readonly end: number;
}
