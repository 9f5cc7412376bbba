import { Buffer } from "node:buffer";
import { hash } from "node:crypto";

/** The length of a block of SHA-256, and of its digest, in bytes. */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * HMAC-SHA-256 with one key (RFC 2104). On Deno `createHmac` takes two to three times as long and makes garbage,
 * and every connection needs two codes.
 */
export class Mac {
  /** The last code; see {@link of}. */
  readonly code: Buffer = Buffer.alloc(DIGEST_BYTES);
  /** The key and a message, then the key and the digest of those. */
  #inner: Buffer;
  readonly #outer: Buffer;

  /** `key` has at most 64 bytes. */
  constructor(key: Uint8Array) {
    this.#inner = Buffer.alloc(4 * BLOCK_BYTES);
    this.#outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
    for (let at = 0; at < BLOCK_BYTES; at++) {
      const byte = key[at] ?? 0;
      this.#inner[at] = byte ^ 0x36;
      this.#outer[at] = byte ^ 0x5c;
    }
  }

  /** The code of a text in UTF-8: {@link code}, which is another one after the next call. */
  of(text: string): Buffer {
    const length = BLOCK_BYTES + Buffer.byteLength(text);
    if (length > this.#inner.length) this.#inner = Buffer.concat([this.#inner], length);
    this.#inner.write(text, BLOCK_BYTES);
    // Deno gives a digest as digits in a third of the time that its bytes take.
    writeHex(hash("sha256", this.#inner.subarray(0, length), "hex"), this.#outer, BLOCK_BYTES);
    writeHex(hash("sha256", this.#outer, "hex"), this.code, 0);
    return this.code;
  }
}

/** As `target.write(digits, at, "hex")`, which takes as long as a hash. */
function writeHex(digits: string, target: Uint8Array, at: number): void {
  for (let digit = 0; digit < digits.length; digit += 2) {
    target[at + digit / 2] = valueOf(digits.charCodeAt(digit)) << 4 |
      valueOf(digits.charCodeAt(digit + 1));
  }
}

/** The value of a digit: `0` to `9` have the codes 48 to 57, `a` to `f` 97 to 102. */
function valueOf(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}
