import { assertEquals } from "@std/assert";
import { HeldMessage } from "../../../hub/connection/held_message.ts";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";

Deno.test("HeldMessage.take() gives the message and its record, and decodes the record once", () => {
  const given: number[] = [];
  const text = '{"type":5,"invocationId":"ä"}';
  const held = new HeldMessage(text, jsonProtocol, { giveBack: (bytes) => given.push(bytes) });
  const { decode } = TextDecoder.prototype;
  let decoded = 0;
  TextDecoder.prototype.decode = function (...args) {
    decoded++;
    return decode.apply(this, args);
  };
  try {
    assertEquals(held.take(), { message: { type: 5, invocationId: "ä" }, record: text });
  } finally {
    TextDecoder.prototype.decode = decode;
  }
  assertEquals([decoded, given], [1, [held.bytes]]);
});
