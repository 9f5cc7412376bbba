import { Buffer } from "node:buffer";

/** A text of at most this length is copied by hand: calling the encoder costs more. */
const SHORT_TEXT = 32;

/** Writes UTF-8 into `buffer`, which must have room; returns the number of bytes. */
export function writeText(text: string, buffer: Buffer, at: number): number {
  if (text.length <= SHORT_TEXT) {
    let i = 0;
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) break;
      buffer[at + i] = unit;
    }
    if (i === text.length) return i;
  }
  return buffer.write(text, at);
}

/** The text of UTF-8 bytes; broken bytes become U+FFFD. A `TextDecoder` takes many times longer. */
export function readText(bytes: Uint8Array): string {
  return bufferOf(bytes).toString();
}

/** A `Buffer` over the same memory. */
export function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
