/**
 * What is hostile in MessagePack, and what must become of it: `specs/signalr-wire.md §6 and §8.3`.
 *
 * @module
 */
import { unhex } from "../../kit/hex.ts";
import { INHERITED, notInvoked, type Row } from "./rows.ts";
import { type Answer, frameOf, lengthPrefixed } from "../../kit/wire_format.ts";

/** A message whose body is given in hex. */
function row(name: string, body: string, outcome: Partial<Row> = {}): Row {
  return { name, bytes: lengthPrefixed(unhex(body)), ...outcome };
}

/** The hex of a short text. */
function text(value: string): string {
  const bytes = [...new TextEncoder().encode(value)];
  const head = bytes.length < 32 ? [0xa0 | bytes.length] : [0xd9, bytes.length];
  return [...head, ...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A call of `inspect`, with its argument in hex. */
function inspecting(argument: string, headers = "80"): string {
  return `9601${headers}${text("1")}${text("inspect")}91${argument}90`;
}

function inspected(result: string): Partial<Row> {
  return { answers: [{ type: 3, invocationId: "1", result }] };
}

const BINDING = "InvalidDataException: Error binding arguments. Make sure that the types of the " +
  "provided values match the types of the hub method being invoked.";
const NOT_BOUND: Partial<Row> = { answers: [notInvoked("1", "inspect", BINDING)] };
const NOT_WHOLE = "MessagePackSerializationException: A value is not whole.";
const reading = (field: string, type = "String") =>
  `InvalidDataException: Reading '${field}' as ${type} failed.`;

const TOO_LARGE = "InvalidDataException: The maximum message size of 32768B was exceeded. The " +
  "message size can be configured with maximumReceiveMessageSize.";

/** Heads that claim 4 Gi bytes or values, and behind them one byte. */
const CLAIMS = {
  array32: "ddffffffff",
  map32: "dfffffffff",
  str32: "dbffffffff",
  bin32: "c6ffffffff",
  ext32: "c9ffffffff05",
} as const;

const claims = Object.entries(CLAIMS).flatMap(([form, claim]): Row[] => {
  const lie = `${claim}00`;
  return [
    row(`${form} for an argument`, inspecting(lie), NOT_BOUND),
    row(`${form} inside an argument`, inspecting(`81a161${lie}`), NOT_BOUND),
    row(`${form} for an item`, `940280a173${lie}`, { closed: NOT_WHOLE }),
    row(`${form} for a result`, `950380a17303${lie}`, { closed: NOT_WHOLE }),
    row(`${form} for an error`, `950380a17301${lie}`, { closed: reading("error") }),
    row(`${form} for an id`, `930580${lie}`, { closed: reading("invocationId") }),
    row(`${form} for a method`, `960180c0${lie}`, { closed: reading("target") }),
    row(`${form} for a header`, `96018${"1"}${lie}`, { closed: reading("headers[0].Key") }),
    row(`${form} for a header's value`, `960181a161${lie}`, {
      closed: reading("headers[0].Value"),
    }),
    row(`${form} for a type`, `96${lie}`, { closed: reading("messageType", "Int32") }),
  ];
});

const lengths: Row[] = [
  row("4 Gi items", "ddffffffff00"),
  row("4 Gi items of which one is a type", "ddffffffff06"),
  row("4 Gi headers", `9601dfffffffff`, { closed: reading("headers[0].Key") }),
  row("4 Gi arguments", `950180${text("1")}${text("inspect")}ddffffffff00`, NOT_BOUND),
  row("4 Gi streams", `960180${text("1")}${text("inspect")}9100ddffffffffa173`, {
    closed: "MessagePackSerializationException: A stream id is not a string.",
  }),
  {
    name: "2 GiB with a prefix that is longer than allowed",
    bytes: unhex("ffffffff08"),
    closed: "FormatException: Messages over 2GB in size are not supported.",
  },
  {
    name: "an endless prefix",
    bytes: unhex("80808080808080"),
    closed: "FormatException: Messages " +
      "over 2GB in size are not supported.",
  },
  {
    name: "an empty message",
    bytes: unhex("00"),
    closed: "EndOfStreamException: Attempted to read " +
      "past the end of the stream.",
  },
  {
    name: "a prefix of 2 GiB and 33,000 bytes",
    bytes: new Uint8Array(33_000).fill(0xff, 0, 4).fill(7, 4, 5),
    closed: TOO_LARGE,
  },
];

const nested = (depth: number) => "91".repeat(depth - 1) + "90";
const depths: Row[] = [
  row("64 levels", inspecting(nested(64)), inspected("[".repeat(64) + "]".repeat(64))),
  row("65 levels", inspecting(nested(65)), NOT_BOUND),
  row("30,000 levels", inspecting(nested(30_000)), NOT_BOUND),
  row("10,000 maps in one another", inspecting(`${"81a161".repeat(10_000)}c0`), NOT_BOUND),
  row("30,000 levels in an item of no upload", `940280a173${nested(30_000)}`),
  row("30,000 levels in a result that nobody asked for", `950380a17303${nested(30_000)}`),
];

const NAN = "cb7ff8000000000000";
const numbers: Row[] = [
  row("NaN", inspecting(NAN), inspected("NaN")),
  row("minus infinity", inspecting("cbfff0000000000000"), inspected("-Infinity")),
  row("the largest integer", inspecting("cfffffffffffffffff"), inspected("18446744073709551615n")),
  row("the smallest integer", inspecting("d38000000000000000"), inspected("-9223372036854775808n")),
  row("a key of 64 bits", inspecting("81cf0000000000000001c3"), inspected('{"1": true}')),
  row(
    "a key beyond 2^53",
    inspecting("81cf0020000000000001c3"),
    inspected('{"9007199254740993": true}'),
  ),
  row("half of a surrogate pair", inspecting("a3eda0bd"), inspected('"\ufffd"')),
  row("a key that is NaN", inspecting(`81${NAN}c3`), inspected('{"NaN": true}')),
  row("a date out of range", inspecting("c70cff000000007fffffffffffffff"), NOT_BOUND),
  row("an extension that nobody knows", inspecting("d40500"), NOT_BOUND),
  row("a form that does not exist", inspecting("c1"), NOT_BOUND),
  row("the id NaN", `960180${NAN}${text("inspect")}910090`, { closed: reading("invocationId") }),
  row("the id -1", `960180ff${text("inspect")}910090`, { closed: reading("invocationId") }),
  row("the stream NaN", `960180a131${text("collect")}9091${NAN}`, {
    closed: "MessagePackSerializationException: A stream id is not a string.",
  }),
  row("the type NaN", `91${NAN}`, { closed: reading("messageType", "Int32") }),
  row("the type 2^31", "91ce80000000", { closed: reading("messageType", "Int32") }),
  ...["ff", "00", "0a", "7f", "ce7fffffff", "d280000000"].map((type) =>
    row(`the unknown type ${type}`, `96${type}80c0${text("inspect")}910090`)
  ),
  ...["08", "09"].flatMap((type) => [
    row(`the sequence NaN of type ${type}`, `92${type}${NAN}`, {
      closed: reading("sequenceId", "Int64"),
    }),
    row(`the sequence -1 of type ${type}`, `92${type}ff`),
    row(`the sequence 2^63-1 of type ${type}`, `92${type}cf7fffffffffffffff`),
    row(`the sequence 2^64-1 of type ${type}`, `92${type}cfffffffffffffffff`, {
      closed: reading("sequenceId", "Int64"),
    }),
  ]),
];

const many = Array.from({ length: 8000 }, (_, number) => number % 10);
const manyHeaders = Object.fromEntries(many.slice(0, 2000).map((_, index) => [`h${index}`, "v"]));
const calling = (members: Record<string, unknown>) =>
  frameOf("messagepack", {
    type: 1,
    invocationId: "1",
    target: "inspect",
    arguments: [0],
    ...members,
  });

const counts: Row[] = [
  {
    name: "8,000 arguments for a method of one",
    bytes: calling({ arguments: many }),
    answers: [
      notInvoked(
        "1",
        "inspect",
        "InvalidDataException: Invocation provides 8000 argument(s) but target expects 1.",
      ),
    ],
  },
  {
    name: "8,000 arguments for a method of any",
    bytes: calling({ target: "rest", arguments: many }),
    ...inspected(`[${many.join(", ")}]`),
  },
  { name: "2,000 headers", bytes: calling({ headers: manyHeaders }), ...inspected("0") },
  {
    name: "2,000 streams for a method of none",
    bytes: calling({ arguments: [], streamIds: Object.keys(manyHeaders) }),
    answers: [{
      type: 3,
      invocationId: "1",
      error: "An unexpected error occurred invoking 'inspect' on the server. HubException: " +
        "Client sent 2000 stream(s), Hub method expects 1.",
    }],
  },
  row("8,000 items behind those of a ping", `dc1f41${"06".repeat(8001)}`),
  row("8,000 bytes behind a ping", `9106${"c1".repeat(8000)}`),
];

const ids: Row[] = [
  ...["-1", "NaN", "__proto__", "constructor", "\0", "é".repeat(15_000)].map((id): Row => ({
    name: `the id ${id.slice(0, 20)}`,
    bytes: calling({ invocationId: id }),
    answers: [{ type: 3, invocationId: id, result: "0" }],
  })),
  // The number of the type, and what its name is in an error.
  ...Object.entries({
    2: "StreamItem",
    3: "Completion",
    4: "StreamInvocation",
    5: "CancelInvocation",
  })
    .flatMap(([type, name]) =>
      ["c0", "a0"].map((id) =>
        row(`no id for a ${name}, as ${id}`, `960${type}80${id}${text("inspect")}9090`, {
          closed: `InvalidDataException: Null or empty invocation ID for ${name} message.`,
        })
      )
    ),
];

const METHODS = ["connected", "disconnected", "methods", "\0", "x".repeat(32_000)];
const methods: Row[] = [
  ...METHODS.map((target): Row => ({
    name: `the method ${target.slice(0, 20)}`,
    bytes: calling({ target, arguments: [] }),
    answers: [notInvoked("1", target, "HubException: Method does not exist.")],
  })),
  {
    name: "900,000 characters of a method's name",
    bytes: calling({ target: "x".repeat(900_000) }),
    closed: TOO_LARGE,
  },
  ...["a0", "c0"].map((target) =>
    row(`no name of a method, as ${target}`, `960180a131${target}9090`, {
      closed: "InvalidDataException: Null or empty target for Invocation message.",
    })
  ),
];

const names = INHERITED.flatMap((name): Row[] => [
  row(`the method ${name}`, `960180a131${text(name)}9090`, {
    answers: [notInvoked("1", name, "HubException: Method does not exist.")],
  }),
  row(`the header ${name}`, inspecting("00", `81${text(name)}a178`), inspected("0")),
  row(`the header ${name}, no text`, inspecting("00", `81${text(name)}80`), {
    closed: reading("headers[0].Value"),
  }),
  // `values.ts`: it would be the prototype of the object.
  row(
    `the member ${name} of an argument`,
    inspecting(`81${text(name)}81${text("polluted")}01`),
    name === "__proto__" ? NOT_BOUND : inspected(`{"${name}": {"polluted": 1}}`),
  ),
  {
    name: `the upload ${name}`,
    bytes: new Uint8Array([
      ...frameOf("messagepack", {
        type: 1,
        invocationId: "1",
        target: "collect",
        arguments: [],
        streamIds: [name],
      }),
      ...frameOf("messagepack", { type: 2, invocationId: name, item: 1 }),
      ...frameOf("messagepack", { type: 3, invocationId: name }),
    ]),
    answers: [{ type: 3, invocationId: "1", result: "[1]" } satisfies Answer],
  },
]);

/** All of them. */
export const MESSAGEPACK_ROWS: readonly Row[] = [
  ...claims,
  ...lengths,
  ...depths,
  ...counts,
  ...numbers,
  ...ids,
  ...methods,
  ...names,
];
