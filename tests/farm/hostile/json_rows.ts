/**
 * What is hostile in JSON, and what must become of it: `specs/signalr-wire.md §8.2, §9.2 and §11`.
 *
 * @module
 */
import { INHERITED, notInvoked, type Row } from "./rows.ts";
import type { Answer } from "../../kit/wire_format.ts";

const encoder = new TextEncoder();

function row(name: string, text: string, outcome: Partial<Row> = {}): Row {
  return { name, bytes: encoder.encode(`${text}\x1e`), ...outcome };
}

/** A call of `inspect` with its argument as JSON text. */
function inspecting(argument: string, members = ""): string {
  return `{"type":1,"invocationId":"1","target":"inspect",${members}"arguments":[${argument}]}`;
}

function inspected(result: string): Partial<Row> {
  return { answers: [{ type: 3, invocationId: "1", result }] };
}

const SYNTAX = "InvalidDataException: Error reading JSON.";
const INT32 = "FormatException: Either the JSON value is not in a supported format, or is out of " +
  "bounds for an Int32.";
const INT64 = INT32.replace("Int32", "Int64");
const expected = (member: string, type: string) =>
  `InvalidDataException: Expected '${member}' to be of type ${type}.`;
const TOO_LARGE = "InvalidDataException: The maximum message size of 32768B was exceeded. The " +
  "message size can be configured with maximumReceiveMessageSize.";
const NO_METHOD = "HubException: Method does not exist.";

const depths: Row[] = [
  row("62 levels in an argument", inspecting("[".repeat(62) + "]".repeat(62)), {
    answers: [{ type: 3, invocationId: "1", result: "[".repeat(62) + "]".repeat(62) }],
  }),
  row("63 levels in an argument", inspecting("[".repeat(63) + "]".repeat(63)), { closed: SYNTAX }),
  row("15,000 levels", inspecting("[".repeat(15_000) + "]".repeat(15_000)), { closed: SYNTAX }),
  row("32,000 levels never closed", "[".repeat(32_000), { closed: SYNTAX }),
  row("5,000 objects in one another", inspecting('{"a":'.repeat(5000) + "1" + "}".repeat(5000)), {
    closed: SYNTAX,
  }),
  row("15,000 levels behind an object", `{"type":6}${"[".repeat(15_000)}`, { closed: SYNTAX }),
  row("an object behind an object", '{"type":6}{"type":6}', { closed: SYNTAX }),
  row("100,000 levels", "[".repeat(100_000), { closed: TOO_LARGE }),
];

const many = Array.from({ length: 8000 }, (_, number) => number % 10);
const manyHeaders = Array.from({ length: 2000 }, (_, number) => `"h${number}":"v"`).join(",");
const counts: Row[] = [
  row("8,000 arguments for a method of one", inspecting(many.join(",")), {
    answers: [
      notInvoked(
        "1",
        "inspect",
        "InvalidDataException: Invocation provides 8000 argument(s) but target expects 1.",
      ),
    ],
  }),
  row(
    "8,000 arguments for a method of any",
    `{"type":1,"invocationId":"1","target":"rest","arguments":[${many.join(",")}]}`,
    inspected(`[${many.join(", ")}]`),
  ),
  row("2,000 headers", inspecting("1", `"headers":{${manyHeaders}},`), inspected("1")),
  row(
    "2,000 streams for a method of none",
    inspecting("", `"streamIds":[${many.slice(0, 2000).map((_, id) => `"${id}"`).join(",")}],`),
    {
      answers: [{
        type: 3,
        invocationId: "1",
        error: "An unexpected error occurred invoking 'inspect' on the server. HubException: " +
          "Client sent 2000 stream(s), Hub method expects 1.",
      }],
    },
  ),
  row("one member 3,000 times", `{${'"type":1,'.repeat(3000)}"type":6}`),
  row("3,000 unknown members", `{${many.slice(0, 3000).map((_, n) => `"${n}":0`)},"type":6}`),
];

const ids: Row[] = [
  ...["-1", "NaN", "1.5", "__proto__", "constructor", "\\u0000", "x".repeat(30_000)]
    .map((id): Row => {
      const text = `{"type":1,"invocationId":"${id}","target":"inspect","arguments":[0]}`;
      const answer: Answer = { type: 3, invocationId: JSON.parse(`"${id}"`), result: "0" };
      return row(`the id ${id.slice(0, 20)}`, text, { answers: [answer] });
    }),
  ...["-1", "1e400", "null", "{}", "[]", "true"].map((id) =>
    row(
      `the id ${id}, which is no text`,
      `{"type":1,"invocationId":${id},"target":"inspect","arguments":[0]}`,
      { closed: expected("invocationId", "String") },
    )
  ),
  row("the id NaN, which is no JSON", '{"type":5,"invocationId":NaN}', { closed: SYNTAX }),
  ...[3, 4, 5].map((type) =>
    row(`an empty id of type ${type}`, `{"type":${type},"invocationId":"","target":"x"}`, {
      closed: "InvalidDataException: Missing required property 'invocationId'.",
    })
  ),
  ...[8, 9].flatMap((type) => [
    row(`a negative sequence of type ${type}`, `{"type":${type},"sequenceId":-5}`),
    row(`the sequence 2^60 of type ${type}`, `{"type":${type},"sequenceId":1152921504606846976}`),
    row(`the sequence 2^64 of type ${type}`, `{"type":${type},"sequenceId":18446744073709551616}`, {
      closed: INT64,
    }),
    row(`a fraction of type ${type}`, `{"type":${type},"sequenceId":0.5}`, { closed: INT64 }),
    row(`infinity of type ${type}`, `{"type":${type},"sequenceId":1e400}`, { closed: INT64 }),
    row(`NaN of type ${type}`, `{"type":${type},"sequenceId":NaN}`, { closed: SYNTAX }),
    row(`text of type ${type}`, `{"type":${type},"sequenceId":"1"}`, {
      closed: expected("sequenceId", "Number"),
    }),
  ]),
];

const numbers: Row[] = [
  ...["9007199254740993", "-9223372036854775808", "18446744073709551615"].map((integer) =>
    row(`the integer ${integer}`, inspecting(integer), inspected(`${integer}n`))
  ),
  row(
    "an integer beyond 64 bits",
    inspecting("18446744073709551616"),
    inspected("18446744073709552000"),
  ),
  row("an integer of 30,000 digits", inspecting("9".repeat(30_000)), inspected("Infinity")),
  row("half of a surrogate pair", inspecting('"\\ud83d"'), inspected('"\ufffd"')),
];

const types: Row[] = [
  ...["0", "-1", "10", "99", "2147483647", "-2147483648"].map((type) =>
    row(`the unknown type ${type}`, `{"type":${type},"target":"inspect","arguments":[0]}`)
  ),
  ...["2147483648", "1.5", "-0.1", "1e400"].map((type) =>
    row(`the type ${type}`, `{"type":${type}}`, { closed: INT32 })
  ),
  ...['"1"', "null", "[1]", "{}", "true"].map((type) =>
    row(`the type ${type}`, `{"type":${type}}`, { closed: expected("type", "Number") })
  ),
  row("no type", "{}", { closed: "InvalidDataException: Missing required property 'type'." }),
  row("the type of the prototype", '{"__proto__":{"type":6}}', {
    closed: "InvalidDataException: Missing required property 'type'.",
  }),
];

const names: Row[] = [
  ...[...INHERITED, "", "connected", "disconnected", "methods", "x".repeat(32_000)].map((target) =>
    row(
      `the method ${target.slice(0, 20)}`,
      `{"type":1,"invocationId":"1","target":"${target}","arguments":[]}`,
      { answers: [notInvoked("1", target, NO_METHOD)] },
    )
  ),
  row("900,000 characters of a method's name", `{"type":1,"target":"${"x".repeat(900_000)}"}`, {
    closed: TOO_LARGE,
  }),
  ...INHERITED.flatMap((name) => [
    row(`the header ${name}`, inspecting("0", `"headers":{"${name}":"x"},`), inspected("0")),
    row(`the header ${name}, no text`, inspecting("0", `"headers":{"${name}":{}},`), {
      closed: `InvalidDataException: Expected header '${name}' to be of type String.`,
    }),
    row(
      `the member ${name} of an argument`,
      inspecting(`{"${name}":{"polluted":1}}`),
      inspected(`{"${name}": {"polluted": 1}}`),
    ),
    row(`the member ${name} of a message`, `{"type":6,"${name}":{"polluted":1}}`),
    row(
      `the upload ${name}`,
      `{"type":1,"invocationId":"1","target":"collect","arguments":[],"streamIds":["${name}"]}\x1e` +
        `{"type":2,"invocationId":"${name}","item":1}\x1e{"type":3,"invocationId":"${name}"}`,
      inspected("[1]"),
    ),
  ]),
];

/** All of them. */
export const JSON_ROWS: readonly Row[] = [
  ...depths,
  ...counts,
  ...ids,
  ...numbers,
  ...types,
  ...names,
];
