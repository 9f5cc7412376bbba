import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode } from "@msgpack/msgpack";
import { SerializedInvocation } from "../../../hub/protocol/serialized_invocation.ts";
import {
  readAck,
  readGroupCommand,
  writeAck,
  writeGroupCommand,
} from "../../../hub/bus/envelope.ts";
import {
  beginInvocation,
  endInvocation,
  numbered,
  readInvocation,
  writeInvocation,
  writeQuestion,
} from "../../../hub/bus/invocation.ts";
import { PackError, PackReader } from "../../../hub/protocol/pack/reader.ts";
import { PackWriter } from "../../../hub/protocol/pack/writer.ts";
import { hex, unhex } from "../../kit/hex.ts";
import {
  ACKS,
  captured,
  COMMANDS,
  COMPLETIONS,
  EXCLUSIONS,
  HELLO_WORLD,
  LONG_COMMAND,
  RESULT_REQUEST,
  writeTwoItems,
} from "./redis_vectors.ts";

Deno.test("readAck() and writeAck() round-trip the bytes of .NET nodes", () => {
  for (const [id, bytes] of ACKS) {
    const ack = { id, error: undefined };
    assertEquals(readAck(unhex(bytes)), ack);
    assertEquals(hex(writeAck(ack)), bytes.replaceAll(" ", ""));
  }
  for (const { name, payload } of captured("ack")) {
    assertEquals(hex(writeAck(readAck(payload))), hex(payload), name);
  }
});

Deno.test("readGroupCommand() and writeGroupCommand() round-trip the bytes of .NET nodes", () => {
  for (const [action, bytes] of COMMANDS) {
    const named = { serverName: "S", group: "G", connectionId: "C" };
    const command = { ...named, id: 42, action, timeout: undefined };
    assertEquals(readGroupCommand(unhex(bytes)), command);
    assertEquals(hex(writeGroupCommand(command)), bytes.replaceAll(" ", ""));
  }
  assertEquals(readGroupCommand(unhex(LONG_COMMAND)), {
    id: 1,
    serverName: "MyServer_02db60e5fab243b890a847fa5c4dcb29",
    action: 1,
    group: "g",
    connectionId: "c1",
    timeout: undefined,
  });
  const commands = captured("command");
  assertEquals(commands.length, 2);
  for (const { name, payload } of [...commands, { name: "long", payload: unhex(LONG_COMMAND) }]) {
    assertEquals(hex(writeGroupCommand(readGroupCommand(payload))), hex(payload), name);
  }
});

Deno.test("readInvocation() yields the excluded ids and frames that its bytes were made of", () => {
  for (const [excluded, bytes] of EXCLUSIONS) {
    const message = readInvocation(unhex(bytes));
    assertEquals(message.excluded, excluded);
    assertEquals(message.frames.frame("p1")?.content, new Uint8Array([0x2a]));
    assertEquals(message.frames.frame("json"), undefined);
    assertEquals(message.origin, undefined);
    assertEquals(hex(writeTwoItems(message, ["p1", "p2"])), bytes.replaceAll(" ", ""));
  }
});

Deno.test("readInvocation() keeps every byte that a real farm published", () => {
  const invocations = captured("invocation");
  assert(invocations.length > 15);
  for (
    const { name, payload } of [...invocations, { name: "§10.2", payload: unhex(HELLO_WORLD) }]
  ) {
    const message = readInvocation(payload);
    assertEquals(message.origin, undefined, name);
    const written = hex(writeTwoItems(message, ["json", "messagepack"]));
    // A client-result request has two more items behind: an id and a channel.
    const [items] = payload;
    assertEquals(written.slice(2), hex(payload).slice(2, written.length), name);
    assertEquals(
      items === 0x92 ? payload.length : 0x94,
      items === 0x92 ? written.length / 2 : items,
    );
  }
});

Deno.test("readInvocation() reads a client-result request and ignores what follows its frames", () => {
  const request = readInvocation(unhex(RESULT_REQUEST));
  assertEquals(
    request.frames.frame("json")?.content,
    '{"type":1,"invocationId":"AAAAAAAAAAAAAAAAAAAAAA","target":"Result","arguments":["test"]}\x1e',
  );
  assertEquals(request.origin, undefined);
});

Deno.test("readInvocation() refuses the completion of a client result without a crash", () => {
  const completions = [...captured("completion").map(({ payload }) => payload)];
  assertEquals(completions.length, 3);
  for (const payload of [...completions, ...COMPLETIONS.map(unhex)]) {
    assertThrows(() => readInvocation(payload), PackError);
    // Its own layout is read by the same primitives, and kept.
    const reader = new PackReader(payload);
    const writer = new PackWriter();
    writer.array(reader.array());
    writer.string(reader.string());
    writer.binary(reader.binary());
    assertEquals(hex(writer.finish()), hex(payload));
  }
});

/** A payload with numbers, both as it is written and as numbers are added to it. */
function* payloads(message: SerializedInvocation, number: number, back: number) {
  yield endInvocation(beginInvocation(message, [], "deno_1"), number, back).slice();
  yield numbered(writeInvocation(message, [], "deno_1").slice(), number, back);
}

Deno.test("endInvocation() writes a .NET node's bytes, then the origin and numbers as a fifth item", () => {
  const message = new SerializedInvocation("Hello", ["World"]);
  const payload = endInvocation(beginInvocation(message, [], "deno_1"), 300, 5);
  // 95 for 92, then nil, nil, ["deno_1", 300, 5].
  assertEquals(hex(payload), `95${HELLO_WORLD.slice(2)}c0c093a664656e6f5f31cd012c05`);
});

Deno.test("readInvocation() reads numbers of any size, and takes those that cannot be for none", () => {
  const message = new SerializedInvocation("Hello", ["World"]);
  for (
    const [number, back] of [[1, 0], [2 ** 33, 7], [2 ** 52, -(2 ** 31)], [70_000, -3]] as const
  ) {
    for (const payload of payloads(message, number, back)) {
      const read = readInvocation(payload);
      assertEquals([read.origin, read.number, read.back], ["deno_1", number, back]);
    }
  }
  for (const [number, back] of [[0, 0], [-1, 0], [5, 6], [5, -6]] as const) {
    for (const payload of payloads(message, number, back)) {
      const read = readInvocation(payload);
      assertEquals([read.origin, read.number, read.back], ["deno_1", undefined, 0]);
    }
  }
});

Deno.test("endInvocation() is understood by a reader that wants two items or more", () => {
  const excluded = Array.from({ length: 20 }, (_, i) => `c${i}`);
  const message = new SerializedInvocation("got", ["é 😀 <>&'\"+\u2028\\/", { a: [1, null] }]);
  const items = decode(
    endInvocation(beginInvocation(message, excluded, "deno_1"), 1, 0),
  ) as unknown[];
  assertEquals(items.length, 5);
  assertEquals(items[0], excluded);
  const frames = items[1] as Record<string, Uint8Array>;
  assertEquals(Object.keys(frames), ["json", "messagepack"]);
  assertEquals(new TextDecoder().decode(frames.json), message.json);
  assertEquals(frames.messagepack, message.frame("messagepack")?.bytes);
  assertEquals(items.slice(2), [null, null, ["deno_1", 1, 0]]);
});

Deno.test("endInvocation() round-trips when every length needs its widest form", () => {
  const text = "ü".repeat(70_000);
  const message = new SerializedInvocation("got", [text]);
  const excluded = Array.from({ length: 70_000 }, (_, i) => `connection-${i}`);
  const read = readInvocation(
    endInvocation(beginInvocation(message, excluded, "o".repeat(300)), 1, 0),
  );
  assertEquals(read.excluded.length, excluded.length);
  assertEquals(read.excluded.at(-1), excluded.at(-1));
  assertEquals(read.origin, "o".repeat(300));
  assertEquals(read.frames.frame("json")?.content, message.json);
  assertEquals(read.frames.frame("messagepack")?.content, message.frame("messagepack")?.content);
});

Deno.test("readInvocation() tolerates further items and protocols, as .NET nodes do", () => {
  const body = "90 83 a4 6a736f6e c4 01 7b a1 78 c4 01 2a a1 79 c4 00";
  for (
    const [name, payload, origin] of [
      ["three items", `93 ${body} c0`, undefined],
      ["nil as fifth", `95 ${body} c0 c0 c0`, undefined],
      ["a map as fifth", `95 ${body} c0 c0 80`, undefined],
      ["an empty array as fifth", `95 ${body} c0 c0 90`, undefined],
      ["empty strings as third and fourth", `95 ${body} a0 a0 91 a1 6e`, "n"],
      ["more in the fifth, and more behind", `97 ${body} c0 c0 93 a1 6e 01 02 c2 c3`, "n"],
    ] as const
  ) {
    const message = readInvocation(unhex(payload));
    assertEquals(message.origin, origin, name);
    assertEquals(message.frames.frame("json")?.content, "{", name);
    assertEquals(message.frames.frame("x")?.content, new Uint8Array([0x2a]), name);
  }
});

Deno.test("readGroupCommand() and readAck() ignore further items", () => {
  assertEquals(readGroupCommand(unhex("96 2a a1 53 01 a1 47 a1 43 c0")).connectionId, "C");
  assertEquals(readAck(unhex("92 2a 01")), { id: 42, error: undefined });
});

Deno.test("writeGroupCommand(), writeAck() and writeQuestion() put what is ours behind what .NET reads", () => {
  const named = { serverName: "S", group: "G", connectionId: "C" };
  const command = { ...named, id: 42, action: 1, timeout: 5000 };
  const bytes = "96 2a a1 53 01 a1 47 a1 43 91 cd 13 88".replaceAll(" ", "");
  assertEquals(hex(writeGroupCommand(command)), bytes);
  assertEquals(readGroupCommand(unhex(bytes)), command);
  assertEquals(hex(writeAck({ id: 42, error: "no" })), "922aa26e6f");
  assertEquals(readAck(unhex("922aa26e6f")), { id: 42, error: "no" });
  const message = new SerializedInvocation("Hello", ["World"]);
  const asked = { invocationId: "i", returnChannel: "r" };
  const plain = hex(writeInvocation(message, [], "S")).slice(2, -10);
  const question = { ...asked, timeout: 5000 };
  const payload = writeQuestion(message, "S", question);
  assertEquals(hex(payload), `96${plain}a169a17291a15391cd1388`);
  const read = readInvocation(payload);
  assertEquals([read.origin, read.question], ["S", question]);
  const silent = writeQuestion(message, "S", { ...asked, timeout: undefined });
  assertEquals(readInvocation(silent).question, { ...asked, timeout: undefined });
});

Deno.test("SerializedInvocation writes its arguments once for the bus and the clients here", () => {
  let written = 0;
  const argument = { toJSON: () => ({ written: ++written }) };
  const message = new SerializedInvocation("message", [argument]);
  written = 0;
  const frames = readInvocation(endInvocation(beginInvocation(message, [], "node"), 1, 0)).frames;
  const sent = frames.frame("messagepack")?.bytes.slice();
  assertEquals(written, 2);
  assertEquals(message.frame("messagepack")?.bytes, sent);
  assertEquals(message.frame("json")?.content, frames.frame("json")?.content);
  assertEquals(written, 2);
});

Deno.test("SerializedInvocation writes its arguments again when the bytes for the bus are gone", () => {
  const message = new SerializedInvocation("message", ["text"]);
  const sent = readInvocation(endInvocation(beginInvocation(message, [], "node"), 1, 0)).frames
    .frame("messagepack")?.bytes.slice();
  writeInvocation(new SerializedInvocation("other", ["other text"]), [], "node");
  assertEquals(message.frame("messagepack")?.bytes, sent);
});
