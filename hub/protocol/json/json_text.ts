import { ProtocolError } from "../protocol_error.ts";
import { mayHaveLongInteger, parseLongIntegers } from "./long_integers.ts";

/** The deepest nesting that is read; the same as upstream. */
export const MAXIMUM_DEPTH = 64;

/** A JSON object whose members have not been checked. */
export type JsonObject = { readonly [member: string]: unknown };

/**
 * The JSON object in `text`. Integers beyond 2^53 are `bigint`s; half of a surrogate pair is U+FFFD.
 *
 * @throws {ProtocolError} if the text is not JSON, is not an object, has more behind the object than
 * white space, or nests deeper than {@link MAXIMUM_DEPTH}.
 */
export function parseJsonObject(text: string, syntaxError: () => ProtocolError): JsonObject {
  if (isTooDeep(text)) throw syntaxError();
  let value: unknown;
  try {
    const whole = text.includes("\\u") ? withoutHalves(text) : text;
    value = mayHaveLongInteger(whole) ? parseLongIntegers(whole) : JSON.parse(whole);
  } catch {
    throw syntaxError();
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new ProtocolError(
    `Unexpected JSON Token Type '${tokenType(value)}'. Expected a JSON Object.`,
  );
}

/** The nearest number of a number or an integer that {@link parseJsonObject} has read. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "bigint" ? Number(value) : undefined;
}

/** Replaces escaped halves of surrogate pairs: no frame and no MessagePack text can hold them. */
function withoutHalves(text: string): string {
  if (!HALF.test(text)) return text;
  // Every escape is matched, so that a backslash is never taken for the beginning of the next escape.
  return text.replace(ESCAPE, (escape, half) => half === undefined ? escape : "\\ufffd");
}

const HALF = /\\u[dD][89a-fA-F]/;
const ESCAPE = /\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]|(u[dD][89a-fA-F]..)|[^])/g;

function tokenType(value: unknown): string {
  if (value === null) return "Null";
  if (Array.isArray(value)) return "Array";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? "Number" : "String";
}

/** Counts opening brackets first: nearly every message has so few that they cannot nest too deep. */
function isTooDeep(text: string): boolean {
  let brackets = 0;
  for (const bracket of ["{", "["]) {
    for (let i = text.indexOf(bracket); i >= 0; i = text.indexOf(bracket, i + 1)) {
      if (++brackets > MAXIMUM_DEPTH) return nestsTooDeep(text);
    }
  }
  return false;
}

function nestsTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inString) {
      if (character === "\\") i++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") {
      if (++depth > MAXIMUM_DEPTH) return true;
    } else if (character === "}" || character === "]") depth--;
  }
  return false;
}
