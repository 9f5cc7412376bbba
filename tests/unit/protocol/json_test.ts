import { assertEquals, assertThrows } from "@std/assert";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { mayHaveLongInteger } from "../../../hub/protocol/json/long_integers.ts";
import type { HubMessage } from "../../../hub/protocol/messages.ts";
import { ProtocolError } from "../../../hub/protocol/protocol_error.ts";
import { contentOf } from "./content_of.ts";

/** `specs/signalr-wire.md §8.5`: what upstream writes, and what it means. */
const VECTORS: readonly (readonly [text: string, message: HubMessage])[] = [
  [
    '{"type":1,"invocationId":"123","target":"Target","arguments":[1,"Foo"]}',
    { type: 1, invocationId: "123", target: "Target", arguments: [1, "Foo"] },
  ],
  [
    '{"type":1,"target":"Target","arguments":[null]}',
    { type: 1, target: "Target", arguments: [null] },
  ],
  [
    '{"type":1,"target":"Target","arguments":[42],"streamIds":["__test_id__"]}',
    { type: 1, target: "Target", arguments: [42], streamIds: ["__test_id__"] },
  ],
  [
    '{"type":1,"target":"Method","arguments":["מחרוזת כלשהי"]}',
    { type: 1, target: "Method", arguments: ["מחרוזת כלשהי"] },
  ],
  [
    '{"type":2,"headers":{"Foo":"Bar","KeyWith\\nNew\\r\\nLines":"Still Works","ValueWithNewLines":"Also\\nWorks\\r\\nFine"},"invocationId":"123","item":1}',
    {
      type: 2,
      headers: {
        Foo: "Bar",
        "KeyWith\nNew\r\nLines": "Still Works",
        ValueWithNewLines: "Also\nWorks\r\nFine",
      },
      invocationId: "123",
      item: 1,
    },
  ],
  ['{"type":2,"invocationId":"123","item":null}', { type: 2, invocationId: "123", item: null }],
  ['{"type":3,"invocationId":"123"}', { type: 3, invocationId: "123" }],
  ['{"type":3,"invocationId":"123","result":1}', { type: 3, invocationId: "123", result: 1 }],
  ['{"type":3,"invocationId":"123","result":null}', { type: 3, invocationId: "123", result: null }],
  [
    '{"type":3,"invocationId":"123","error":"Whoops!"}',
    { type: 3, invocationId: "123", error: "Whoops!" },
  ],
  [
    '{"type":4,"invocationId":"123","target":"Target","arguments":[1,"Foo"]}',
    { type: 4, invocationId: "123", target: "Target", arguments: [1, "Foo"] },
  ],
  ['{"type":5,"invocationId":"123"}', { type: 5, invocationId: "123" }],
  ['{"type":6}', { type: 6 }],
  ['{"type":7}', { type: 7 }],
  ['{"type":7,"error":"Error!"}', { type: 7, error: "Error!" }],
  ['{"type":7,"error":""}', { type: 7, error: "" }],
  ['{"type":7,"allowReconnect":true}', { type: 7, allowReconnect: true }],
  [
    '{"type":7,"error":"Error!","allowReconnect":true}',
    { type: 7, error: "Error!", allowReconnect: true },
  ],
  ['{"type":8,"sequenceId":102020}', { type: 8, sequenceId: 102020 }],
  ['{"type":9,"sequenceId":98764321}', { type: 9, sequenceId: 98764321 }],
];

Deno.test("jsonProtocol.parse() and write() agree with upstream's vectors", () => {
  for (const [text, message] of VECTORS) {
    assertEquals(contentOf(jsonProtocol, text), message);
    assertEquals(jsonProtocol.write(message), `${text}\x1e`);
  }
});

Deno.test("jsonProtocol.parse() takes members in any order and ignores unknown ones", () => {
  const cases: readonly (readonly [string, HubMessage])[] = [
    ['{ "arguments": [1,2], "type":1, "target": "Method" }', {
      type: 1,
      target: "Method",
      arguments: [1, 2],
    }],
    ['{ "type":4, "arguments": [1,2], "target": "Method", "invocationId": "3" }', {
      type: 4,
      invocationId: "3",
      target: "Method",
      arguments: [1, 2],
    }],
    ['{ "type":3, "result": 10, "invocationId": "15" }', {
      type: 3,
      invocationId: "15",
      result: 10,
    }],
    ['{ "item": "foo", "invocationId": "1a", "type":2 }', {
      type: 2,
      invocationId: "1a",
      item: "foo",
    }],
    ['{"x":1,"Type":9,"type":6,"y":{}}', { type: 6 }],
    ['\r\n\t {"type":6}', { type: 6 }],
  ];
  for (const [text, message] of cases) assertEquals(contentOf(jsonProtocol, text), message, text);
});

Deno.test("jsonProtocol.parse() refuses anything but white space behind the object", () => {
  const object = '{"type":6,"x":"}{\\"]","y":[{}]}';
  for (const rest of [" trailing", "}", "{", '"', "\\", "{oops", '{"type":7}', "[[[[", "\0"]) {
    const error = assertThrows(() => jsonProtocol.parse(object + rest), ProtocolError);
    assertEquals(error.message, "Error reading JSON.", rest);
  }
  assertEquals(jsonProtocol.parse(`${object} \t\r\n`), { type: 6 });
});

Deno.test("jsonProtocol.parse() lets the last of duplicate members count", () => {
  assertEquals(jsonProtocol.parse('{"type":1,"type":6}'), { type: 6 });
  assertEquals(
    jsonProtocol.parse('{"type":5,"invocationId":"1","invocationId":"2"}'),
    { type: 5, invocationId: "2" },
  );
});

Deno.test("jsonProtocol.parse() treats an empty invocation id of a call as none", () => {
  assertEquals(
    jsonProtocol.parse('{"type":1,"invocationId":"","target":"x","arguments":[]}'),
    { type: 1, target: "x", arguments: [] },
  );
});

Deno.test("jsonProtocol.parse() returns undefined for a type that it does not know", () => {
  for (const type of [0, 10, 42, -1, 2147483647]) {
    assertEquals(jsonProtocol.parse(`{"type":${type}}`), undefined);
  }
});

Deno.test("jsonProtocol.parse() reads bytes as UTF-8", () => {
  const bytes = new TextEncoder().encode('{"type":3,"invocationId":"1","result":"é😀"}');
  assertEquals(contentOf(jsonProtocol, bytes), { type: 3, invocationId: "1", result: "é😀" });
});

Deno.test("jsonProtocol.parse() accepts 64 levels of nesting and refuses 65", () => {
  // The object and its arguments are the first two.
  const nested = (levels: number) =>
    `{"type":1,"target":"x","arguments":[${"[".repeat(levels - 2)}${"]".repeat(levels - 2)}]}`;
  const inObjects = (levels: number) =>
    `{"type":3,"invocationId":"1","result":${'{"a":'.repeat(levels - 1)}1${
      "}".repeat(levels - 1)
    }}`;
  for (const text of [nested(64), inObjects(64)]) jsonProtocol.parse(text);
  for (const text of [nested(65), inObjects(65), nested(100_000), inObjects(100_000)]) {
    const error = assertThrows(() => jsonProtocol.parse(text), ProtocolError);
    assertEquals(error.message, "Error reading JSON.");
  }
});

Deno.test("jsonProtocol.parse() does not mistake brackets in strings, or many, for nesting", () => {
  const text = JSON.stringify("[{".repeat(1000) + '\\"');
  const flat = `[${"[],{},".repeat(1000)}1]`;
  assertEquals(
    jsonProtocol.parse(`{"type":1,"target":"x","arguments":[${text},${flat}]}`),
    { type: 1, target: "x", arguments: [JSON.parse(text), JSON.parse(flat)] },
  );
});

Deno.test("jsonProtocol.parse() takes __proto__ and constructor as members like any other", () => {
  const polluting =
    '{"__proto__":{"type":6,"target":"x","admin":true},"constructor":{"prototype":{"admin":true}}';
  const error = assertThrows(() => jsonProtocol.parse(`${polluting}}`), ProtocolError);
  assertEquals(error.message, "Missing required property 'type'.");
  const message = jsonProtocol.parse(
    `${polluting},"type":1,"target":"__proto__","arguments":[{"__proto__":{"admin":true}}],` +
      `"headers":{"__proto__":"x","constructor":"y"}}`,
  );
  if (message?.type !== 1) throw new Error("not an invocation");
  assertEquals(message.target, "__proto__");
  assertEquals(Object.entries(message.headers ?? {}), [["__proto__", "x"], ["constructor", "y"]]);
  const [argument] = message.arguments as [Record<string, unknown>];
  assertEquals(Object.keys(argument), ["__proto__"]);
  assertEquals(argument.admin, undefined);
  assertEquals(({} as Record<string, unknown>).admin, undefined);
});

Deno.test("jsonProtocol.write() never writes a separator inside a record", () => {
  const text = jsonProtocol.write({
    type: 1,
    headers: { "a\x1eb": "\x1e" },
    invocationId: "\x1e",
    target: "\x1e",
    arguments: ["\x1e\0\n\u2028"],
  }) as string;
  assertEquals(text.indexOf("\x1e"), text.length - 1);
  assertEquals(jsonProtocol.parse(text.slice(0, -1)), {
    type: 1,
    headers: { "a\x1eb": "\x1e" },
    invocationId: "\x1e",
    target: "\x1e",
    arguments: ["\x1e\0\n\u2028"],
  });
});

/** The argument of a call. */
function read(argument: string): unknown {
  const message = jsonProtocol.parse(`{"type":1,"target":"m","arguments":[${argument}]}`);
  return message?.type === 1 ? message.arguments[0] : undefined;
}

Deno.test("jsonProtocol.parse() makes a bigint of an integer of 64 bits that is not exact as a number", () => {
  const cases: readonly (readonly [text: string, value: unknown])[] = [
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["9007199254740993", 9007199254740993n],
    ["-9007199254740993", -9007199254740993n],
    ["1234567890123456789", 1234567890123456789n],
    ["18446744073709551615", 18446744073709551615n],
    ["-9223372036854775808", -9223372036854775808n],
    // MessagePack has no larger integers: a client writes them as floats.
    ["18446744073709551616", 18446744073709551616],
    ["-9223372036854775809", -9223372036854775809],
    ["9".repeat(400), Infinity],
    // Not integers.
    ["0.1234567890123456789", 0.12345678901234568],
    ["1234567890123456789.5", 1234567890123456800],
    ["1234567890123456789e1", 12345678901234567890],
    ['"1234567890123456789"', "1234567890123456789"],
    ['"x,1234567890123456789,"', "x,1234567890123456789,"],
  ];
  for (const [text, value] of cases) {
    for (const indent of ["", " ", "\n\t       ", " ".repeat(15)]) {
      assertEquals(read(`${indent}${text}${indent}`), value, text);
      assertEquals(read(`{"a":[0.5,${indent}${text}${indent}]}`), { a: [0.5, value] }, text);
      assertEquals(read(`"12345678901234567890",${text}`), "12345678901234567890", text);
      assertEquals(read(`{"a":"12345678901234567890", "b" :${text}}`), {
        a: "12345678901234567890",
        b: value,
      });
    }
  }
});

Deno.test("jsonProtocol.parse() takes a type and a sequence of any length as numbers", () => {
  assertEquals(jsonProtocol.parse('{"type":8,"sequenceId":9007199254740993}'), {
    type: 8,
    sequenceId: 9007199254740992,
  });
  assertThrows(
    () => jsonProtocol.parse('{"type":9007199254740993}'),
    ProtocolError,
    "out of bounds for an Int32",
  );
});

Deno.test("jsonProtocol.parse() reads half of a surrogate pair as U+FFFD", () => {
  const cases: readonly (readonly [text: string, value: unknown])[] = [
    ['"\\ud83d"', "\ufffd"],
    ['"a\\uDE00b"', "a\ufffdb"],
    ['"\\ud83d\\ude00"', "😀"],
    ['"\\ud83d\\ud83d\\ude00"', "\ufffd😀"],
    ['"\\ude00\\ud83d"', "\ufffd\ufffd"],
    ['{"\\ud83d":"\\u00e9"}', { "\ufffd": "é" }],
    // A backslash, and no half.
    ['"\\\\ud83d"', "\\ud83d"],
    ['"\\\\\\ud83d"', "\\\ufffd"],
  ];
  for (const [text, value] of cases) assertEquals(read(text), value, text);
});

Deno.test("mayHaveLongInteger() looks at each run of digits once", () => {
  // A look at every 16th character of a run that walks the whole run would take minutes.
  assertEquals(mayHaveLongInteger(`["${"1".repeat(4_000_000)}"]`), false);
  assertEquals(mayHaveLongInteger(`["${"1".repeat(4_000_000)}",9007199254740993]`), true);
});

Deno.test("mayHaveLongInteger() is false for digits that a number or a text holds", () => {
  const usual = [
    "1767323045678000",
    "9007199254740991",
    "0.1234567890123456",
    '"1234567890123456789"',
  ];
  const long = ["9007199254740992", "-1234567890123456789", "1234567890123456789"];
  for (let indent = 0; indent < 40; indent++) {
    const spaces = " ".repeat(indent);
    for (const text of usual) {
      assertEquals(mayHaveLongInteger(`{"a":${spaces}${text}}`), false, text);
    }
    for (const text of long) assertEquals(mayHaveLongInteger(`{"a":${spaces}${text}}`), true, text);
  }
});
