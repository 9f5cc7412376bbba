import { assertEquals, assertThrows } from "@std/assert";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { ProtocolError } from "../../../hub/protocol/protocol_error.ts";

const NO_JSON = "Error reading JSON.";
const token = (type: string) => `Unexpected JSON Token Type '${type}'. Expected a JSON Object.`;
const missing = (member: string) => `Missing required property '${member}'.`;
const expected = (member: string, type: string) => `Expected '${member}' to be of type ${type}.`;
const outOfBounds = (type: string) =>
  `Either the JSON value is not in a supported format, or is out of bounds for an ${type}.`;

/** Records that close the connection, and why: `specs/signalr-wire.md §8.2`. */
const FATAL: readonly (readonly [record: string, text: string])[] = [
  ["", NO_JSON],
  [" ", NO_JSON],
  ["{oops", NO_JSON],
  ['{"type":6', NO_JSON],
  ['{"type":6,}', NO_JSON],
  ['{"type":6 "x":1}', NO_JSON],
  ['{"type":6,"x":"\n"}', NO_JSON],
  ["{'type':6}", NO_JSON],
  ["}", NO_JSON],
  ["[", NO_JSON],
  ["nul", NO_JSON],
  ["42", token("Number")],
  ['"x"', token("String")],
  ["null", token("Null")],
  ["true", token("True")],
  ["false", token("False")],
  ["[]", token("Array")],
  ['[{"type":6}]', token("Array")],
  ["{}", missing("type")],
  ['{"Type":6}', missing("type")],
  ['{"type":"1"}', expected("type", "Number")],
  ['{"type":null}', expected("type", "Number")],
  ['{"type":true}', expected("type", "Number")],
  ['{"type":1,"arguments":[]}', missing("target")],
  ['{"type":1,"target":null,"arguments":[]}', expected("target", "String")],
  ['{"type":1,"target":1,"arguments":[]}', expected("target", "String")],
  ['{"type":1,"target":"x"}', missing("arguments")],
  ['{"type":1,"target":"x","arguments":{}}', expected("arguments", "Array")],
  ['{"type":1,"target":"x","arguments":null}', expected("arguments", "Array")],
  [
    '{"type":1,"invocationId":null,"target":"x","arguments":[]}',
    expected("invocationId", "String"),
  ],
  ['{"type":1,"invocationId":1,"target":"x","arguments":[]}', expected("invocationId", "String")],
  ['{"type":1,"target":"x","arguments":[],"streamIds":null}', expected("streamIds", "Array")],
  [
    '{"type":1,"target":"x","arguments":[],"streamIds":[null]}',
    "Null value for 'streamIds' is not valid.",
  ],
  ['{"type":4,"target":"x","arguments":[]}', missing("invocationId")],
  ['{"type":4,"invocationId":"","target":"x","arguments":[]}', missing("invocationId")],
  ['{"type":4,"invocationId":"1","arguments":[]}', missing("target")],
  ['{"type":4,"invocationId":"1","target":"x"}', missing("arguments")],
  ['{"type":2,"item":1}', missing("invocationId")],
  ['{"type":2,"invocationId":"1"}', missing("item")],
  ['{"type":3}', missing("invocationId")],
  ['{"type":3,"invocationId":""}', missing("invocationId")],
  ['{"type":3,"invocationId":"1","error":null}', expected("error", "String")],
  [
    '{"type":3,"invocationId":"1","error":"e","result":1}',
    "The 'error' and 'result' properties are mutually exclusive.",
  ],
  [
    '{"type":3,"invocationId":"1","result":null,"error":"e"}',
    "The 'error' and 'result' properties are mutually exclusive.",
  ],
  ['{"type":5}', missing("invocationId")],
  ['{"type":5,"invocationId":""}', missing("invocationId")],
  ['{"type":7,"error":1}', expected("error", "String")],
  ['{"type":7,"error":null}', expected("error", "String")],
  ['{"type":7,"allowReconnect":"true"}', "Expected 'allowReconnect' to be true or false."],
  ['{"type":7,"allowReconnect":null}', "Expected 'allowReconnect' to be true or false."],
  ['{"type":8}', missing("sequenceId")],
  ['{"type":8,"sequenceId":null}', missing("sequenceId")],
  ['{"type":9}', missing("sequenceId")],
  ['{"type":9,"sequenceId":"1"}', expected("sequenceId", "Number")],
  ['{"type":1,"headers":[],"target":"x","arguments":[]}', expected("headers", "StartObject")],
  ['{"type":1,"headers":null,"target":"x","arguments":[]}', expected("headers", "StartObject")],
  [
    '{"type":1,"headers":{"Foo":1},"target":"x","arguments":[]}',
    "Expected header 'Foo' to be of type String.",
  ],
  // Headers are checked on every type.
  ['{"type":6,"headers":{"Foo":null}}', "Expected header 'Foo' to be of type String."],
];

Deno.test("jsonProtocol.parse() refuses malformed records in upstream's words", () => {
  for (const [record, text] of FATAL) {
    const error = assertThrows(() => jsonProtocol.parse(record), ProtocolError, undefined, record);
    assertEquals([error.name, error.message], ["InvalidDataException", text], record);
  }
});

Deno.test("jsonProtocol.parse() refuses a number that is no integer as a format error", () => {
  const cases: readonly (readonly [record: string, text: string])[] = [
    ['{"type":1.5}', outOfBounds("Int32")],
    ['{"type":1e99}', outOfBounds("Int32")],
    ['{"type":2147483648}', outOfBounds("Int32")],
    ['{"type":8,"sequenceId":1.5}', outOfBounds("Int64")],
    ['{"type":9,"sequenceId":1e99}', outOfBounds("Int64")],
  ];
  for (const [record, text] of cases) {
    const error = assertThrows(() => jsonProtocol.parse(record), ProtocolError, undefined, record);
    assertEquals([error.name, error.message], ["FormatException", text], record);
  }
});

Deno.test("jsonProtocol.parse() throws nothing but ProtocolError when a record is cut anywhere", () => {
  const record =
    '{"type":1,"headers":{"a":"\\u00e9"},"invocationId":"1","target":"x","arguments":[{"a":[1]}]}';
  for (let length = 0; length < record.length; length++) {
    assertThrows(() => jsonProtocol.parse(record.slice(0, length)), ProtocolError);
  }
});
