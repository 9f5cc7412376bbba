/**
 * Frames as bytes of an HTTP body. The same frame goes to many connections in a row, so the last one
 * is remembered and converted once.
 *
 * @module
 */
import type { Frame } from "../protocol/protocol.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Makes `convert` remember the last frame. */
function rememberingLast(convert: (frame: Frame) => Uint8Array): (frame: Frame) => Uint8Array {
  let last: Frame = "";
  let bytes = convert(last);
  return (frame) => {
    if (frame !== last) {
      bytes = convert(frame);
      last = frame;
    }
    return bytes;
  };
}

/** The bytes of a frame; not to be changed. */
export const frameBytes: (frame: Frame) => Uint8Array = rememberingLast((frame) =>
  typeof frame === "string" ? encoder.encode(frame) : frame
);

/**
 * A frame as one unnamed event of a stream; not to be changed. A line end in it begins another
 * `data:` line. `specs/signalr-wire.md §4.3`.
 */
export const eventBytes: (frame: Frame) => Uint8Array = rememberingLast((frame) => {
  const text = typeof frame === "string" ? frame : decoder.decode(frame);
  // A lone CR ends a line for clients as well; within JSON any line end is only white space.
  return encoder.encode(`data: ${text.replaceAll(/\r\n|\r|\n/g, "\r\ndata: ")}\r\n\r\n`);
});
