import { Buffer } from "node:buffer";
import type { Frame, TransferFormat } from "../protocol/protocol.ts";

/** The first byte of a message in one frame. */
const FIRST_BYTE = { text: 0x81, binary: 0x82 } as const;

/**
 * Remembers the last message: the same goes to many connections in a row, and is then encoded once for
 * all of them.
 */
let last: Frame = "";
let lastFormat: TransferFormat = "text";
let lastFrame: Uint8Array = encode(last, lastFormat);

/** A message as a frame that a server sends; not to be changed. RFC 6455, section 5.2. */
export function serverFrame(batch: Frame, format: TransferFormat): Uint8Array {
  if (batch !== last || format !== lastFormat) {
    lastFrame = encode(batch, format);
    last = batch;
    lastFormat = format;
  }
  return lastFrame;
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
