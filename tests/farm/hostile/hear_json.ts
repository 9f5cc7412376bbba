/**
 * A second reading of `specs/signalr-wire.md §8.2`: `JSON.parse` and the rules, in the order of that
 * page, without a line of the server's own code.
 *
 * @module
 */
import { type Heard, Offence } from "./heard.ts";

const DEEPEST = 64;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

type Members = Readonly<Record<string, unknown>>;

/** The message in a record, without its separator; `undefined` if its type is not known. */
export function hearJson(record: Uint8Array): Heard | undefined {
  const value = parsed(decoder.decode(record));
  if (isDeeper(value, DEEPEST)) throw unreadable();
  const form = formOf(value);
  if (form !== "Object") {
    throw new Offence(`Unexpected JSON Token Type '${form}'. Expected a JSON Object.`);
  }
  const members = value as Members;
  for (const [name, member] of Object.entries(members)) MEMBERS.get(name)?.(member);
  const { type } = members;
  if (type === undefined) throw missing("type");
  if (!isWithin(type, 31)) throw outOfBounds(32);
  const known = KNOWN[Number(type)];
  if (known === undefined) return undefined;
  for (const name of known.required) {
    // An empty id is none.
    const member = members[name];
    if (member === undefined || name === "invocationId" && member === "") throw missing(name);
  }
  if (type === 3 && "error" in members && "result" in members) {
    throw new Offence("The 'error' and 'result' properties are mutually exclusive.");
  }
  return pick(members, ["type", ...known.required, ...known.optional]);
}

/** What each type must have, in the order in which it is missed, and what else it may have. */
const KNOWN: Readonly<Record<number, { required: string[]; optional: string[] }>> = {
  1: { required: ["target", "arguments"], optional: ["headers", "invocationId", "streamIds"] },
  2: { required: ["invocationId", "item"], optional: ["headers"] },
  3: { required: ["invocationId"], optional: ["headers", "error", "result"] },
  4: { required: ["invocationId", "target", "arguments"], optional: ["headers", "streamIds"] },
  5: { required: ["invocationId"], optional: ["headers"] },
  6: { required: [], optional: [] },
  7: { required: [], optional: ["error", "allowReconnect"] },
  8: { required: ["sequenceId"], optional: [] },
  9: { required: ["sequenceId"], optional: [] },
};

/** What each member must be, whatever the message. */
const MEMBERS: ReadonlyMap<string, (value: unknown) => void> = new Map([
  ["target", mustBe("target", "String")],
  ["invocationId", mustBe("invocationId", "String")],
  ["error", mustBe("error", "String")],
  ["type", mustBe("type", "Number")],
  ["arguments", mustBe("arguments", "Array")],
  ["streamIds", (value: unknown) => {
    mustBe("streamIds", "Array")(value);
    for (const id of value as unknown[]) {
      if (id === null) throw new Offence("Null value for 'streamIds' is not valid.");
      mustBe("streamIds", "String")(id);
    }
  }],
  ["headers", (value: unknown) => {
    if (formOf(value) !== "Object") throw expected("'headers'", "StartObject");
    for (const [name, header] of Object.entries(value as object)) {
      if (formOf(header) !== "String") throw expected(`header '${name}'`, "String");
    }
  }],
  ["allowReconnect", (value: unknown) => {
    if (typeof value === "boolean") return;
    throw new Offence("Expected 'allowReconnect' to be true or false.");
  }],
]);

function mustBe(name: string, form: string): (value: unknown) => void {
  return (value) => {
    if (formOf(value) !== form) throw expected(`'${name}'`, form);
  };
}

function parsed(text: string): unknown {
  try {
    return parse(text, (key, value, { source = "" }) => {
      if (typeof value === "string") return value.toWellFormed();
      if (typeof value === "number") {
        return NUMBERS.has(key) || !/^-?\d+$/.test(source) ? value : exact(value, BigInt(source));
      }
      if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
      return Object.fromEntries(
        Object.entries(value).map(([name, member]) => [name.toWellFormed(), member]),
      );
    });
  } catch {
    throw unreadable();
  }
}

/** TypeScript does not declare the third parameter yet. */
const { parse } = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
};

/** Members of messages that are numbers, however long. */
const NUMBERS: ReadonlySet<string> = new Set(["type", "sequenceId"]);

/** An integer of 64 bits that a number cannot hold is a `bigint`. */
function exact(value: number, integer: bigint): number | bigint {
  const fits = integer === BigInt.asIntN(64, integer) || integer === BigInt.asUintN(64, integer);
  return Number.isSafeInteger(value) || !fits ? value : integer;
}

function formOf(value: unknown): string {
  if (value === null) return "Null";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return "Array";
  return { string: "String", number: "Number" }[typeof value as string] ?? "Object";
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** Whether a value is an integer of so many bits and a sign. */
function isWithin(value: unknown, bits: number): boolean {
  return Number.isInteger(value) && Number(value) >= -(2 ** bits) && Number(value) < 2 ** bits;
}

function pick(members: Members, names: readonly string[]): Heard {
  const heard: Record<string, unknown> = {};
  for (const name of names) if (Object.hasOwn(members, name)) heard[name] = members[name];
  if (heard.invocationId === "") delete heard.invocationId;
  if ("sequenceId" in heard) checkSequence(heard.sequenceId);
  return heard as unknown as Heard;
}

function checkSequence(sequence: unknown): void {
  if (sequence === null) throw missing("sequenceId");
  mustBe("sequenceId", "Number")(sequence);
  if (!isWithin(sequence, 63)) throw outOfBounds(64);
}

function unreadable(): Offence {
  return new Offence("Error reading JSON.");
}

function missing(name: string): Offence {
  return new Offence(`Missing required property '${name}'.`);
}

function expected(what: string, form: string): Offence {
  return new Offence(`Expected ${what} to be of type ${form}.`);
}

function outOfBounds(bits: number): Offence {
  return new Offence(
    `Either the JSON value is not in a supported format, or is out of bounds for an Int${bits}.`,
    "FormatException",
  );
}
