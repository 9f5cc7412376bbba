/**
 * Integers in JSON that a number cannot hold, such as the ids of a database.
 *
 * @module
 */

/** The largest integer that is exact as a number. Fewer digits always are. */
const LARGEST = `${Number.MAX_SAFE_INTEGER}`;

/**
 * Whether an integer beyond 2^53 may be in `text`. A run of 16 digits has a digit at each 16th character,
 * so few characters are looked at.
 */
export function mayHaveLongInteger(text: string): boolean {
  for (let i = LARGEST.length - 1; i < text.length; i += LARGEST.length) {
    if (!isDigit(text.charCodeAt(i))) continue;
    if (isInLongInteger(text, i)) return true;
    // Each run is looked at once, however long it is.
    while (isDigit(text.charCodeAt(i + 1))) i++;
  }
  return false;
}

/** Whether a digit belongs to a long integer. Digits of a text and of a fraction do not count: both are common. */
function isInLongInteger(text: string, at: number): boolean {
  let start = at;
  while (start > 0 && isDigit(text.charCodeAt(start - 1))) start--;
  let end = at + 1;
  while (end < text.length && isDigit(text.charCodeAt(end))) end++;
  const longer = end - start - LARGEST.length;
  return longer >= 0 && "-[:, \n\r\t".includes(text.charAt(start - 1)) &&
    "]}, \n\r\t".includes(text.charAt(end)) &&
    (longer > 0 || text.slice(start, end) > LARGEST);
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

/**
 * Parses JSON. An integer within 64 bits that is not exact as a number becomes a `bigint`.
 *
 * @throws {SyntaxError} if the text is not JSON.
 */
export function parseLongIntegers(text: string): unknown {
  return parse(text, (_key, value, { source }) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    // The longest are -9223372036854775808 and 18446744073709551615.
    if (source === undefined || source.length > 20 || !/^-?\d+$/.test(source)) return value;
    const integer = BigInt(source);
    return integer >= -(2n ** 63n) && integer < 2n ** 64n ? integer : value;
  });
}

/** The value that `JSON.stringify` writes as the digits of `integer`. */
export function rawInteger(integer: bigint): unknown {
  return rawJSON(`${integer}`);
}

/** Of ECMAScript 2026; TypeScript does not declare them yet. */
const { parse, rawJSON } = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
};
