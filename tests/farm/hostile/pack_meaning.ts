import { type PackCursor, type Token, Unpackable } from "../../kit/pack_cursor.ts";

const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text of bytes; half of a surrogate pair is one U+FFFD, every other broken part as in browsers. */
function textOf(bytes: Uint8Array): string {
  const latin = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const mended = latin.replaceAll(/\xed[\xa0-\xbf][\x80-\xbf]/g, "\xef\xbf\xbd");
  return textDecoder.decode(Uint8Array.from(mended, (character) => character.charCodeAt(0)));
}

/**
 * What the value that stands here means to a hub, as `hub/protocol/values.ts` promises it.
 *
 * @throws {Error} if it means nothing, or nests deeper than `levels`.
 */
export function meant(cursor: PackCursor, levels: number): unknown {
  const token = cursor.token();
  switch (token.kind) {
    case "nil":
      return null;
    case "boolean":
    case "float":
      return token.value;
    case "integer":
      return numberOf(token.value);
    case "text":
      return textOf(token.content);
    case "bytes":
      return token.content.slice();
    case "extension":
      return dateOf(token.type, token.content);
    default:
      if (levels === 0) throw new Unpackable("too deep");
      return token.kind === "array"
        ? arrayOf(token.count, cursor, levels - 1)
        : objectOf(token.count, cursor, levels - 1);
  }
}

function arrayOf(count: number, cursor: PackCursor, levels: number): unknown[] {
  const items: unknown[] = [];
  while (items.length < count) items.push(meant(cursor, levels));
  return items;
}

function objectOf(count: number, cursor: PackCursor, levels: number): object {
  const members: Record<string, unknown> = {};
  for (let left = count; left > 0; left--) {
    const key = keyOf(cursor.token());
    if (key === "__proto__") throw new Unpackable("no key of an object");
    members[key] = meant(cursor, levels);
  }
  return members;
}

function keyOf(token: Token): string {
  if (token.kind === "text") return textOf(token.content);
  if (token.kind === "integer" || token.kind === "float") return String(token.value);
  throw new Unpackable("no key of an object");
}

function numberOf(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Whole seconds in 4 bytes; with nanoseconds in 8, of which they have 30 bits; or 4 and 8 bytes. */
function dateOf(type: number, content: Uint8Array): Date {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  if (type !== -1) throw new Unpackable("no extension that is known");
  let seconds: number;
  let nanoseconds = 0;
  if (content.length === 4) seconds = view.getUint32(0);
  else if (content.length === 8) {
    const both = view.getBigUint64(0);
    seconds = Number(both & (2n ** 34n - 1n));
    nanoseconds = Number(both >> 34n);
  } else if (content.length === 12) {
    nanoseconds = view.getUint32(0);
    seconds = Number(view.getBigInt64(4));
  } else throw new Unpackable("no timestamp");
  const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6));
  if (Number.isNaN(date.getTime())) throw new Unpackable("no date");
  return date;
}
