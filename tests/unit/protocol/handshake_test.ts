import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { chooseProtocol } from "../../../hub/protocol/protocols.ts";
import {
  HANDSHAKE_SUCCESS,
  handshakeFailure,
  parseHandshake,
} from "../../../hub/protocol/handshake.ts";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { ProtocolError } from "../../../hub/protocol/protocol_error.ts";

Deno.test("parseHandshake() accepts what upstream accepts", () => {
  const cases: readonly (readonly [record: string, protocol: string, version: number])[] = [
    ['{"protocol":"json","version":1}', "json", 1],
    ['{"version":2,"protocol":"messagepack"}', "messagepack", 2],
    ['{"protocol":"JSON","version":-1}', "JSON", -1],
    ['{"protocol":"json","version":0}', "json", 0],
    ['{"protocol":"","version":2147483647}', "", 2147483647],
    ['{"x":{"y":[1]},"\\u0070rotocol":"json","version":1} ', "json", 1],
    ['{"protocol":"xml","protocol":"json","version":9,"version":1}', "json", 1],
    [' {"protocol" : "json" , "version" : 1.0}', "json", 1],
  ];
  for (const [record, protocol, version] of cases) {
    assertEquals(parseHandshake(record), { protocol, version }, record);
  }
});

Deno.test("parseHandshake() refuses the rest in upstream's words", () => {
  const missing = (member: string, record: string) =>
    `Missing required property '${member}'. Message content: ${record}`;
  const token = (type: string) => `Unexpected JSON Token Type '${type}'. Expected a JSON Object.`;
  const cases: readonly (readonly [record: string, text: string])[] = [
    ["42", token("Number")],
    ['"x"', token("String")],
    ["null", token("Null")],
    ["true", token("True")],
    ["[]", token("Array")],
    ["{}", missing("protocol", "{}")],
    ['{"version":1}', missing("protocol", '{"version":1}')],
    ['{"Protocol":"json","version":1}', missing("protocol", '{"Protocol":"json","version":1}')],
    ['{"protocol":"json"}', missing("version", '{"protocol":"json"}')],
    [
      '{"protocol":"json","version":null}',
      missing("version", '{"protocol":"json","version":null}'),
    ],
    ['{"protocol":1,"version":1}', "Expected 'protocol' to be of type String."],
    ['{"protocol":null,"version":1}', "Expected 'protocol' to be of type String."],
    ['{"protocol":"json","version":"1"}', "Expected 'version' to be of type Number."],
    [
      '{"__proto__":{"protocol":"json","version":1}}',
      missing(
        "protocol",
        '{"__proto__":{"protocol":"json","version":1}}',
      ),
    ],
  ];
  for (const [record, text] of cases) {
    const error = assertThrows(() => parseHandshake(record), ProtocolError);
    assertEquals([error.name, error.message], ["InvalidDataException", text], record);
  }
});

Deno.test("parseHandshake() refuses a version that is no 32-bit integer as a format error", () => {
  for (const version of ["1.5", "2147483648", "-2147483649", "1e99"]) {
    const error = assertThrows(
      () => parseHandshake(`{"protocol":"json","version":${version}}`),
      ProtocolError,
    );
    assertEquals(error.name, "FormatException");
    assertEquals(
      error.message,
      "Either the JSON value is not in a supported format, or is out of bounds for an Int32.",
    );
  }
});

Deno.test("parseHandshake() refuses broken JSON as a reader error", () => {
  const request = '{"protocol":"json","version":1}';
  const broken = ["", "{oops", "{", request.slice(0, -1), `${request} garbage`, request + "{}"];
  for (const record of [...broken, "{".repeat(100)]) {
    const error = assertThrows(() => parseHandshake(record), ProtocolError);
    assertEquals(error.name, "JsonReaderException", record);
  }
});

Deno.test("chooseProtocol() finds a protocol by its name in any case", () => {
  for (const protocol of ["json", "JSON", "Json"]) {
    for (const version of [-1, 0, 1, 2]) {
      assertStrictEquals(chooseProtocol({ protocol, version }), jsonProtocol);
    }
  }
});

Deno.test("chooseProtocol() gives the reason of a refusal", () => {
  const cases = [
    ["xml", 1, "The protocol 'xml' is not supported."],
    ["messagepack", 3, "The server does not support version 3 of the 'messagepack' protocol."],
    ["", 1, "The protocol '' is not supported."],
    ["__proto__", 1, "The protocol '__proto__' is not supported."],
    ["JSON", 3, "The server does not support version 3 of the 'json' protocol."],
  ] as const;
  for (const [protocol, version, text] of cases) {
    assertEquals(chooseProtocol({ protocol, version }), text);
  }
});

Deno.test("handshakeFailure() and HANDSHAKE_SUCCESS are whole records", () => {
  assertEquals(HANDSHAKE_SUCCESS.text, "{}\x1e");
  assertEquals(HANDSHAKE_SUCCESS.binary, new TextEncoder().encode("{}\x1e"));
  assertEquals(handshakeFailure('a "b" \x1e'), '{"error":"a \\"b\\" \\u001e"}\x1e');
});
