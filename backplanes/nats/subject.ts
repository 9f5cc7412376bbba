/**
 * Channel names as NATS subjects, and back.
 *
 * A subject is one token for the channel name and, before it, the prefix and a dot where there is
 * a prefix: `acme.chat.room:7`. As the name never has a dot, the two cannot be confused, a prefix
 * is exactly what a NATS permission or `nats sub 'acme.chat.>'` covers, and different prefixes never
 * see each other.
 *
 * - A **name** of letters, digits and `_:@/+-` alone is its own token. Any other is `=` followed by
 *   the base64url of its UTF-8 bytes without padding; no literal begins with `=`.
 * - A **prefix** of such tokens joined by dots, of which the first begins with a letter or digit
 *   (NATS keeps `$…` and `_…` to itself), stands as it is. Any other is one `=` token as well.
 *
 * So a name of n bytes becomes a token of at most ⌈4n/3⌉ + 1 bytes, which is never a wildcard.
 *
 * @module
 */

const LITERAL_NAME = /^[\w:@/+-]+$/;
const LITERAL_PREFIX = /^[A-Za-z0-9][\w:@/+-]*(?:\.[\w:@/+-]+)*$/;
const MARK = "=";

/** The longest prefix, in UTF-8 bytes: with the longest name it stays far below 4,096. */
export const MAXIMUM_PREFIX_BYTES = 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The start of every subject of `prefix`: empty, or a text that ends in a dot.
 *
 * @throws {RangeError} if the prefix is over 1,024 UTF-8 bytes or has a lone surrogate.
 */
export function subjectPrefix(prefix: string): string {
  if (prefix === "") return "";
  if (!prefix.isWellFormed() || encoder.encode(prefix).length > MAXIMUM_PREFIX_BYTES) {
    throw new RangeError(
      `Cannot use prefix: it is not well-formed text of at most ${MAXIMUM_PREFIX_BYTES} UTF-8 bytes`,
    );
  }
  return `${LITERAL_PREFIX.test(prefix) ? prefix : encodeToken(prefix)}.`;
}

/** The subject of `channel`; `prefix` is a result of {@link subjectPrefix}. */
export function subjectOf(prefix: string, channel: string): string {
  return prefix + (LITERAL_NAME.test(channel) ? channel : encodeToken(channel));
}

/** The prefix and channel of a subject made by {@link subjectOf}. */
export function readSubject(subject: string): { prefix: string; channel: string } {
  const dot = subject.lastIndexOf(".");
  return {
    prefix: dot === -1 ? "" : decodeToken(subject.slice(0, dot)),
    channel: decodeToken(subject.slice(dot + 1)),
  };
}

function encodeToken(text: string): string {
  const base64 = btoa(String.fromCharCode(...encoder.encode(text)));
  return MARK + base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function decodeToken(token: string): string {
  if (!token.startsWith(MARK)) return token;
  const bytes = atob(token.slice(1).replaceAll("-", "+").replaceAll("_", "/"));
  return decoder.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}
