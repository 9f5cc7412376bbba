/**
 * Tokens: `~00001234~`, in every message and in the id of every call. A token tells which message
 * has come back, in any protocol, without decoding the message.
 *
 * @module
 */

const TILDE = 0x7e;
const DIGITS = 8;

/** The length of a token in bytes. */
export const TOKEN_BYTES = DIGITS + 2;

/** A token that will be overwritten. */
export const EMPTY_TOKEN = `~${"0".repeat(DIGITS)}~`;

const EMPTY_BYTES = new TextEncoder().encode(EMPTY_TOKEN);

/** The offset of the token in a prebuilt frame. */
export function tokenIndex(frame: Uint8Array): number {
  let at = frame.indexOf(TILDE);
  while (at >= 0 && EMPTY_BYTES.some((byte, i) => frame[at + i] !== byte)) {
    at = frame.indexOf(TILDE, at + 1);
  }
  if (at < 0) throw new Error("Cannot find token: the frame has none");
  return at;
}

/** Overwrites the token at `at` with token `number`. */
export function writeToken(frame: Uint8Array, at: number, number: number): void {
  for (let i = DIGITS; i > 0; i--) {
    frame[at + i] = 0x30 + number % 10;
    number = Math.floor(number / 10);
  }
}

/** Calls `found` with every token between `start` and `end`. */
export function scanTokens(
  bytes: Uint8Array,
  start: number,
  end: number,
  found: (number: number) => void,
): void {
  let at = bytes.indexOf(TILDE, start);
  while (at >= 0 && at + TOKEN_BYTES <= end) {
    const number = bytes[at + TOKEN_BYTES - 1] === TILDE ? readDigits(bytes, at + 1) : -1;
    if (number >= 0) found(number);
    at = bytes.indexOf(TILDE, at + (number < 0 ? 1 : TOKEN_BYTES));
  }
}

/** Returns -1 if the bytes are not digits: a length in a binary frame may look like a tilde. */
function readDigits(bytes: Uint8Array, at: number): number {
  let number = 0;
  for (let i = at; i < at + DIGITS; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
