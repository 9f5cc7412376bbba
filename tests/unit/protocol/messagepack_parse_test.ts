import { assert, assertEquals, assertThrows } from "@std/assert";
import { messagepackProtocol } from "../../../hub/protocol/messagepack/messagepack.ts";
import type { HubMessage } from "../../../hub/protocol/messages.ts";
import { ProtocolError } from "../../../hub/protocol/protocol_error.ts";
import { contentOf } from "./content_of.ts";
import { hex, unhex } from "../../kit/hex.ts";
import { VECTORS, xyz } from "./messagepack_vectors.ts";

Deno.test("messagepackProtocol.parse() reads upstream's vectors, and write() writes them", () => {
  for (const [body, message] of VECTORS) {
    const bytes = unhex(body);
    // Headers have no prototype.
    assertEquals(structuredClone(contentOf(messagepackProtocol, bytes)), message, body);
    const smallest = hex(bytes).replace("cc24", "24").replace("cc13", "13");
    const length = (smallest.length / 2).toString(16).padStart(2, "0");
    assertEquals(hex(messagepackProtocol.write(message) as Uint8Array), length + smallest);
  }
});

Deno.test("messagepackProtocol.parse() reads what clients write otherwise than the server", () => {
  const cases: readonly (readonly [string, HubMessage])[] = [
    // Five items; an empty id; nil for the stream ids; more items and bytes behind.
    ["950180c0a16d9101", { type: 1, target: "m", arguments: [1] }],
    ["950180a0a16d90", { type: 1, target: "m", arguments: [] }],
    ["960180c0a16d90c0", { type: 1, target: "m", arguments: [] }],
    ["970180c0a16d9090a178", { type: 1, target: "m", arguments: [], streamIds: [] }],
    ["9106ff", { type: 6 }],
    ["9206c0", { type: 6 }],
    ["9207a378797a", { type: 7, error: "xyz" }],
    // Any width of integer; floats and bytes.
    ["91d300000000000000" + "06", { type: 6 }],
    ["9208cf0000000000000024", { type: 8, sequenceId: 36 }],
    ["940280a378797aca42280000", { type: 2, ...xyz, item: 42 }],
    ["940280a378797ac403010203", { type: 2, ...xyz, item: new Uint8Array([1, 2, 3]) }],
    ["940280a378797ad6ff58ec1c80", { type: 2, ...xyz, item: new Date("2017-04-11T00:00:00Z") }],
    ["940280a378797acf0000010000000000", { type: 2, ...xyz, item: 2 ** 40 }],
  ];
  for (const [body, message] of cases) {
    const parsed = messagepackProtocol.parse(unhex(body));
    // Headers have no prototype.
    assertEquals(structuredClone(parsed), message, body);
  }
});

Deno.test("messagepackProtocol.parse() returns undefined for a type that it does not know", () => {
  for (const body of ["9100", "910a", "912a80", "91cd0100"]) {
    assertEquals(messagepackProtocol.parse(unhex(body)), undefined);
  }
});

const SERIALIZATION = "MessagePackSerializationException";

Deno.test("messagepackProtocol.parse() refuses malformed records in upstream's words", () => {
  const reading = (field: string, type: string) => `Reading '${field}' as ${type} failed.`;
  const cases: readonly (readonly [body: string, text: string])[] = [
    ["90", reading("messageType", "Int32")],
    ["91a131", reading("messageType", "Int32")],
    ["91ceffffffff", reading("messageType", "Int32")],
    ["9601c0a131a16d9090", "Reading map length for 'headers' failed."],
    ["96018005a16d9090", reading("invocationId", "String")],
    ["960180a131a09090", "Null or empty target for Invocation message."],
    ["960180a131c09090", "Null or empty target for Invocation message."],
    ["960480a131a09090", "Null or empty target for StreamInvocation message."],
    ["960480c0a16d9090", "Null or empty invocation ID for StreamInvocation message."],
    ["940280c001", "Null or empty invocation ID for StreamItem message."],
    ["940280a001", "Null or empty invocation ID for StreamItem message."],
    ["940380a002", "Null or empty invocation ID for Completion message."],
    ["930580c0", "Null or empty invocation ID for CancelInvocation message."],
    ["940380a13109", "Invalid invocation result kind."],
    ["940380a131c0", reading("resultKind", "Int32")],
    ["9107", reading("error", "String")],
    ["9307c0c0", reading("allowReconnect", "Boolean")],
    ["9208a178", reading("sequenceId", "Int64")],
    ["930581a0a178a131", "Null or empty key in header."],
    ["930581a178a0a131", "Null or empty value in header."],
    ["930581a17801a131", reading("headers[0].Value", "String")],
    ["960180c0a16d9001", "Reading array length for 'streamIds' failed."],
    ["960180c0a16d9091a0", "Null or empty value in streamIds received."],
    ["960180c0a16d9091c0", "Null or empty value in streamIds received."],
  ];
  for (const [body, text] of cases) {
    const error = assertThrows(() => messagepackProtocol.parse(unhex(body)), ProtocolError);
    assertEquals([error.name, error.message], ["InvalidDataException", text], body);
  }
  for (const body of ["80", "01", "c0", "960180c0a16d909101"]) {
    const error = assertThrows(() => messagepackProtocol.parse(unhex(body)), ProtocolError);
    assertEquals(error.name, SERIALIZATION, body);
  }
});

Deno.test("messagepackProtocol.parse() lets missing or unreadable arguments fail the call alone", () => {
  for (const body of ["940180a131a16d", "950180a131a16dc0", "950180a131a16d80"]) {
    const message = messagepackProtocol.parse(unhex(body));
    assert(message?.type === 1);
    assertEquals(message.bindingError?.message, "Reading array length for 'arguments' failed.");
  }
  // A key __proto__ never makes a prototype.
  const polluting = messagepackProtocol.parse(
    unhex("960180a131a16d9181a95f5f70726f746f5f5f81a561646d696ec390"),
  );
  assert(polluting?.type === 1);
  assertEquals(({} as { admin?: boolean }).admin, undefined);
  for (const argument of polluting.arguments) {
    assertEquals((argument as { admin?: boolean }).admin, undefined);
  }
});
