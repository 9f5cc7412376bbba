import { Buffer } from "node:buffer";
import type { Frame, TransferFormat } from "../protocol/protocol.ts";

/** The first byte of a message in one frame. */
const FIRST_BYTE = { text: 0x81, binary: 0x82 } as const;

/** A message, and the frame that was made of it. */
interface Made {
  readonly batch: Frame;
  readonly frame: Uint8Array;
}

/**
 * Remembers the last message of each format: the same goes to many connections in a row, of both
 * protocols in turn, and is then encoded once for all that have a format in common.
 */
const last: Record<TransferFormat, Made> = {
  text: { batch: "", frame: encode("", "text") },
  binary: { batch: "", frame: encode("", "binary") },
};

/** A message as a frame that a server sends; not to be changed. RFC 6455, section 5.2. */
export function serverFrame(batch: Frame, format: TransferFormat): Uint8Array {
  if (batch !== last[format].batch) last[format] = { batch, frame: encode(batch, format) };
  return last[format].frame;
}

function encode(batch: Frame, format: TransferFormat): Uint8Array {
  const length = typeof batch === "string" ? Buffer.byteLength(batch) : batch.length;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = FIRST_BYTE[format];
  frame[1] = head === 2 ? length : head === 4 ? 126 : 127;
  if (head === 4) frame.writeUInt16BE(length, 2);
  if (head === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  if (typeof batch === "string") frame.write(batch, head);
  else frame.set(batch, head);
  return frame;
}
