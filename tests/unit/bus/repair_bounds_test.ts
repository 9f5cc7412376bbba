import { assertEquals } from "@std/assert";
import { RepairingNode } from "./repairing_node.ts";

Deno.test("Repair asks for messages that there was no room to hold", () => {
  const listener = new RepairingNode(0);
  listener.hear("one", 1, 0);
  listener.hear("one", 3, 1);
  listener.hear("one", 4, 1);
  assertEquals(listener.delivered, ["1"]);
  listener.repeat("one", 1, 2, 3);
  assertEquals(listener.delivered, ["1", "2", "3"]);
  listener.repeat("one", 3, 4);
  listener.hear("one", 5, 1);
  assertEquals(listener.delivered, ["1", "2", "3", "4", "5"]);
  assertEquals(listener.lost, []);
});

Deno.test("Repair delivers at once, and reports a loss, while there are too many holes", () => {
  // There is room for one message.
  const listener = new RepairingNode(150);
  const full = 20_000;
  for (let index = 0; index < full; index++) {
    listener.hear(`channel ${index}`, 2 * index + 2, 1);
  }
  assertEquals(listener.delivered, []);
  listener.hear("one more", 40_002, 1);
  assertEquals(listener.delivered, ["40002"]);
  assertEquals(listener.lost, ["1 on one more"]);
  for (let index = 0; index < full; index++) {
    listener.repair.closed(listener.channel(`channel ${index}`));
  }
  // What was held for them is given back.
  listener.hear("last", 50_002, 1);
  listener.repeat("last", 40_002, 50_001);
  assertEquals(listener.delivered.slice(1), ["50001", "50002"]);
  assertEquals(listener.lost.length, 1);
});
