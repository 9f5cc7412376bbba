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

Deno.test("Repair drops what came under numbers that the sender has never given, and goes on", () => {
  const listener = new RepairingNode();
  listener.hear("one", 1, 0);
  listener.hear("one", 2 ** 40, 1);
  listener.hear("one", 3, 1);
  assertEquals(listener.asked.length, 1);
  // A channel that is wanted meanwhile begins below the false number.
  listener.channel("two");
  listener.answer("one", 1, [{ number: 2 }], { upTo: 3, number: 3 });
  assertEquals(listener.delivered, ["1", "2", "3"]);
  assertEquals(listener.lost, ["1 on one"]);
  assertEquals([listener.asked.length, listener.repair.idle], [1, true]);
  listener.hear("one", 4, 1);
  listener.hear("two", 5, 0);
  assertEquals(listener.delivered.slice(3), ["4", "5"]);
});

Deno.test("Repair keeps what came after its question when a false number is found out", () => {
  const listener = new RepairingNode();
  listener.hear("one", 1, 0);
  listener.hear("one", 50, 1);
  listener.hear("one", 60, 1);
  // The question was asked before 60 came, so only 50 is known to be false.
  listener.answer("one", 1, [], { upTo: 2, number: 2 });
  assertEquals([listener.delivered, listener.lost], [["1"], ["1 on one"]]);
  assertEquals(listener.asked.length, 2);
  listener.repeat("one", 2, 59);
  assertEquals(listener.delivered, ["1", "59", "60"]);
});

Deno.test("Repair asks again a while later when an answer brings nothing, and gives up at last", () => {
  const listener = new RepairingNode();
  listener.hear("one", 1, 0);
  listener.hear("one", 3, 1);
  for (let answers = 0; answers < 100 && !listener.repair.idle; answers++) {
    listener.answer("one", 1, [], { upTo: 1, number: 3 });
    listener.pass(50);
  }
  assertEquals([listener.asked.length, listener.repair.idle], [4, true]);
  assertEquals([listener.delivered, listener.lost], [["1", "3"], ["1 on one"]]);
});

Deno.test("Repair does not ask at once for the rest of an index that does not advance", () => {
  const listener = new RepairingNode();
  listener.hear("one", 1, 0);
  listener.hearSign({ number: 1, told: 1 });
  listener.hearSign({ number: 9, told: 9 }, true);
  const { id, after } = listener.asked.at(-1) ?? { id: 0, after: 0 };
  const about = { kind: "index", id, node: "other", hub: "hub", after } as const;
  const answer = { ...about, upTo: after, number: 9, from: 1, age: undefined, channels: [] };
  for (let answers = 0; answers < 10; answers++) listener.repair.indexed("other", answer, 0);
  assertEquals(listener.asked.length, 1);
});
