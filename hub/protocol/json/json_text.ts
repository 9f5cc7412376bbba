import { ProtocolError } from "../protocol_error.ts";

/** The deepest nesting that is read, as upstream. */
export const MAXIMUM_DEPTH = 64;

/** A JSON object whose members are not known yet. */
export type JsonObject = { readonly [member: string]: unknown };

/**
 * The JSON object at the start of `text`; what follows it is ignored, as upstream does.
 *
 * @throws {ProtocolError} if the text does not start with a JSON value, it is no object, or it nests
 * deeper than {@link MAXIMUM_DEPTH}.
 */
export function parseJsonObject(text: string, syntaxError: () => ProtocolError): JsonObject {
  if (isTooDeep(text)) throw syntaxError();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const end = endOfObject(text);
    if (end === undefined) throw syntaxError();
    try {
      value = JSON.parse(text.slice(0, end));
    } catch {
      throw syntaxError();
    }
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new ProtocolError(
    `Unexpected JSON Token Type '${tokenType(value)}'. Expected a JSON Object.`,
  );
}

function tokenType(value: unknown): string {
  if (value === null) return "Null";
  if (Array.isArray(value)) return "Array";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? "Number" : "String";
}

/** Counting brackets is enough for nearly every message; only one with many is scanned. */
function isTooDeep(text: string): boolean {
  let brackets = 0;
  for (const bracket of ["{", "["]) {
    for (let i = text.indexOf(bracket); i >= 0; i = text.indexOf(bracket, i + 1)) {
      if (++brackets > MAXIMUM_DEPTH) return deepest(text) > MAXIMUM_DEPTH;
    }
  }
  return false;
}

function deepest(text: string): number {
  let most = 0;
  scan(text, (depth) => {
    most = Math.max(most, depth);
    // What follows the value is not read.
    return depth === 0;
  });
  return most;
}

/** Where the object that `text` starts with ends, or `undefined` if it does not. */
function endOfObject(text: string): number | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  return scan(text, (depth) => depth === 0);
}

/** Calls `at` with the depth after each bracket outside strings; stops where it returns true. */
function scan(text: string, at: (depth: number) => boolean): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quoted) {
      if (character === "\\") i++;
      else if (character === '"') quoted = false;
      continue;
    }
    if (character === '"') quoted = true;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else continue;
    if (!quoted && at(depth)) return i + 1;
  }
  return undefined;
}
