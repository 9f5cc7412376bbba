import { assertEquals } from "@std/assert";
import { RepairingNode } from "./repairing_node.ts";

Deno.test("Repair delivers at once what follows, drops what comes twice, and asks nothing", () => {
  const node = new RepairingNode();
  node.hear("a", 1, 0);
  node.hear("b", 2, 0);
  node.hear("a", 3, 2);
  node.hear("a", 3, 2);
  node.hear("a", 1, 0);
  node.hear("a", 1, 0, "another");
  assertEquals(node.delivered, ["1", "2", "3", "1"]);
  assertEquals([node.asked, node.repair.idle, node.met], [[], true, ["other", "another"]]);
});

Deno.test("Repair holds what comes behind a hole, and delivers everything in order", () => {
  const node = new RepairingNode();
  node.hear("a", 1, 0);
  node.hear("a", 4, 1);
  node.hear("a", 5, 1);
  node.hear("b", 6, 0);
  assertEquals(node.delivered, ["1", "6"]);
  const question = { kind: "askMessages", id: 1, channel: "a", after: 1, age: undefined } as const;
  assertEquals(node.asked, [question]);
  node.answer("a", 1, [{ number: 3, back: 2 }, { number: 4, back: 1 }]);
  assertEquals(node.delivered, ["1", "6", "3", "4", "5"]);
  node.hear("a", 7, 2);
  assertEquals([node.delivered.at(-1), node.lost, node.repair.idle], ["7", [], true]);
});

Deno.test("Repair ignores an answer to another question, and one that comes after 5 s", () => {
  const node = new RepairingNode();
  node.hear("a", 1, 0);
  node.hear("a", 3, 1);
  node.answer("a", 1, [{ number: 2 }], { id: 99 });
  node.answer("a", 0, [{ number: 2 }]);
  node.answer("b", 1, [{ number: 2 }]);
  node.now += 5001;
  node.repeat("a", 1, 2);
  assertEquals(node.delivered, ["1"]);
  node.repair.tick(node.now);
  assertEquals(node.asked.length, 2);
  node.repeat("a", 1, 2);
  assertEquals(node.delivered, ["1", "2", "3"]);
});

Deno.test("Repair asks every 250 ms, and gives up after its timeout", () => {
  const node = new RepairingNode();
  node.hear("a", 1, 0);
  node.hear("a", 3, 1);
  node.hear("a", 6, 2);
  node.pass(249);
  assertEquals(node.asked.length, 1);
  node.pass(1);
  assertEquals(node.asked.length, 2);
  // The time stands still while the own bus is away.
  node.open = false;
  node.pass(5000);
  assertEquals([node.asked.length, node.delivered], [2, ["1"]]);
  node.open = true;
  node.pass(500);
  assertEquals([node.asked.length, node.delivered], [4, ["1"]]);
  node.pass(100);
  assertEquals([node.delivered, node.lost], [["1", "3", "6"], ["2 on a"]]);
  assertEquals([node.asked.length, node.repair.idle], [4, true]);
});

Deno.test("Repair has at most 64 questions open, and the next one waits for an answer", () => {
  const node = new RepairingNode();
  for (let channel = 0; channel < 100; channel++) node.hear(`${channel}`, 2 + 3 * channel, 1);
  assertEquals(node.asked.length, 64);
  node.pass(200);
  assertEquals(node.asked.length, 64);
  const [first] = node.asked;
  node.answer("0", 0, [{ number: 1 }], { id: first?.id ?? 0 });
  const more = node.asked.slice(64).map((asked) => asked.kind === "askMessages" && asked.channel);
  assertEquals([node.delivered, more], [["1", "2"], ["64"]]);
});

Deno.test("Repair asks no more often because a stranger sends wild numbers", () => {
  const node = new RepairingNode();
  const far = Number.MAX_SAFE_INTEGER;
  for (let number = 10; number < 10_000; number += 3) {
    node.hear("a", number, 1);
    node.hear("a", far - number, number % 2 === 0 ? -1 : 1);
  }
  assertEquals([node.asked.length, node.delivered], [1, []]);
  node.pass(249);
  assertEquals(node.asked.length, 1);
  node.pass(800);
  assertEquals(node.asked.length, 4);
  assertEquals(node.delivered.length, 6660);
  assertEquals(node.delivered.map(Number), node.delivered.map(Number).toSorted((a, b) => a - b));
});

Deno.test("Repair remembers a thousand nodes, and delivers what more of them send as it comes", () => {
  const node = new RepairingNode();
  for (let index = 0; index < 1000; index++) node.hear("a", 1, 0, `node ${index}`);
  assertEquals([node.delivered.length, node.met.length], [1000, 1000]);
  node.delivered.length = 0;
  for (const number of [5, 5, 9]) node.hear("a", number, 1, "one too many");
  node.hearSign({ number: 20, told: 20, tails: [["a", 20]] }, false, "one too many");
  assertEquals([node.delivered, node.asked, node.met.length], [["5", "5", "9"], [], 1000]);
  // Nodes that have ended make room when they were not heard for ten minutes.
  node.repair.ended("node 7", "gone", node.now);
  node.now = 600_000;
  assertEquals(node.repair.forgetOld(node.now), []);
  node.now++;
  assertEquals(node.repair.forgetOld(node.now).map(({ name }) => name), ["node 7"]);
  node.hear("a", 1, 0, "the next");
  assertEquals(node.met.at(-1), "the next");
});

Deno.test("Repair learns from a sign that the last message of a channel is missing", () => {
  const node = new RepairingNode();
  node.hearSign({});
  node.hear("a", 1, 0);
  node.hearSign({ number: 3, told: 3, tails: [["a", 2], ["elsewhere", 3]] });
  assertEquals(node.asked.length, 1);
  node.repeat("a", 1, 2);
  assertEquals([node.delivered, node.lost, node.repair.idle], [["1", "2"], [], true]);
  node.hearSign({ number: 3, told: 3 });
  // Everything up to 3 is told, so nothing of a forgotten channel can be missing.
  node.hear("b", 4, -1);
  assertEquals([node.delivered.at(-1), node.asked.length], ["4", 1]);
});

Deno.test("Repair asks for an index where a sign is missing, then for the messages", () => {
  const node = new RepairingNode();
  node.hearSign({});
  node.hear("a", 1, 0);
  node.hearSign({ number: 1, told: 1 });
  node.hearSign({ number: 4, told: 4 }, true);
  assertEquals(node.asked.at(-1), { kind: "askIndex", id: 1, after: 1, age: undefined });
  // The question is repeated until it is answered.
  node.pass(3000);
  assertEquals(node.asked.length, 13);
  node.index([["a", 3], ["elsewhere", 4]], 4);
  node.repeat("a", 1, 2, 3);
  assertEquals([node.delivered, node.lost, node.repair.idle], [["1", "2", "3"], [], true]);
});

Deno.test("Repair asks for an index where a sign says that it has told nothing", () => {
  const node = new RepairingNode();
  node.channel("a");
  node.hearSign({});
  node.hearSign({ number: 3, told: 0 });
  assertEquals(node.asked, [{ kind: "askIndex", id: 1, after: 0, age: 5000 }]);
  node.index([["a", 3]], 3);
  node.repeat("a", 0, 1, 2, 3);
  node.hearSign({ number: 3, told: 3 });
  assertEquals([node.delivered, node.asked.length, node.repair.idle], [["1", "2", "3"], 2, true]);
});

Deno.test("Repair after an outage asks for what no sign had told before, and then has settled", () => {
  const node = new RepairingNode();
  node.repair.missed(node.now);
  assertEquals(node.settled, 1);
  node.hearSign({});
  node.hear("a", 1, 0);
  node.hear("a", 2, 1);
  node.hearSign({ number: 1, told: 1 });
  node.repair.away();
  node.hearSign({ number: 9, told: 9 });
  node.repair.missed(node.now);
  assertEquals(node.asked, [{ kind: "askIndex", id: 1, after: 1, age: undefined }]);
  node.index([["a", 4]], 9);
  assertEquals(node.settled, 1);
  node.repeat("a", 2, 3, 4);
  assertEquals([node.delivered, node.settled], [["1", "2", "3", "4"], 2]);
  node.repair.away();
  node.repair.back();
  assertEquals([node.asked.length, node.settled], [2, 2]);
});

Deno.test("Repair settles although a sender dies, or its channel is given up", () => {
  for (const ends of ["sender", "channel"]) {
    const node = new RepairingNode();
    node.hearSign({});
    node.hear("a", 1, 0);
    node.repair.missed(node.now);
    node.index([["a", 3]], 3);
    node.hear("a", 4, 1);
    if (ends === "sender") node.repair.ended("other", "gone", node.now);
    else node.repair.closed(node.channel("a"));
    const delivered = ends === "sender" ? ["1", "4"] : ["1"];
    const lost = ends === "sender" ? ["1 on a"] : [];
    assertEquals([node.delivered, node.lost, node.settled], [delivered, lost, 1]);
    assertEquals(node.repair.idle, true);
  }
});

Deno.test("Repair waits twice as long for a sender that gives no signs", () => {
  for (const [hears, least] of [[true, 900], [false, 1900]] as const) {
    const node = new RepairingNode();
    node.hears = hears;
    node.hear("a", 1, 0);
    node.hear("a", 3, 1);
    node.pass(least);
    assertEquals([node.delivered, node.lost], [["1"], []]);
    node.pass(200);
    assertEquals([node.delivered, node.lost], [["1", "3"], ["1 on a"]]);
  }
});

Deno.test("Repair still asks a sender that counts as dead, which may only have been away", () => {
  for (const back of [true, false]) {
    const node = new RepairingNode();
    node.lossy = true;
    node.hearSign({});
    node.hear("a", 1, 0);
    node.hears = false;
    node.hear("a", 3, 1);
    node.hearSign({ number: 4, told: 4 }, true);
    node.pass(500);
    node.repair.ended("other", "dead", node.now);
    const asked = node.asked.length;
    node.pass(900);
    assertEquals([node.delivered, node.lost, node.asked.length > asked + 5], [["1"], [], true]);
    if (back) {
      node.hearSign({ number: 4, told: 4 });
      const { id = 0 } = node.asked.findLast(({ kind }) => kind === "askMessages") ?? {};
      node.answer("a", 1, [{ number: 2 }, { number: 3 }], { id });
      node.pass(250);
      node.index([["a", 3]], 4);
    }
    node.pass(2000);
    assertEquals(node.delivered, back ? ["1", "2", "3"] : ["1", "3"]);
    assertEquals(node.lost, back ? [] : ["0 on a", "1 on a"]);
    assertEquals(node.repair.idle, true);
  }
});

Deno.test("Repair reports every channel when a node dies on a bus that loses messages by itself", () => {
  for (const [lossy, how] of [[true, "dead"], [true, "gone"], [false, "dead"]] as const) {
    const node = new RepairingNode();
    node.lossy = lossy;
    node.hear("a", 1, 0);
    node.channel("b");
    const end = () => {
      node.repair.ended("other", how, node.now);
      node.repair.ended("unknown", how, node.now);
    };
    end();
    node.pass(950);
    end();
    assertEquals(node.lost, []);
    node.pass(50);
    assertEquals(node.lost, lossy && how === "dead" ? ["0 on a", "0 on b"] : []);
    end();
    assertEquals([node.lost.length <= 2, node.repair.idle], [true, true]);
  }
});

Deno.test("Repair reports what its sender keeps no longer, and not what the bus has refused", () => {
  const node = new RepairingNode();
  node.hear("a", 1, 0);
  node.hear("a", 6, 1);
  const payloads = [null, undefined, null];
  const messages = payloads.map((payload, index) => ({ number: 2 + index, payload }));
  node.answer("a", 1, [...messages, { number: 5 }]);
  assertEquals([node.delivered, node.lost], [["1", "5", "6"], ["2 on a"]]);
  node.hear("a", 9, 1);
  node.answer("a", 6, [{ number: 8, back: 1 }], { missing: 3 });
  assertEquals([node.delivered.slice(3), node.lost.slice(1)], [["8", "9"], ["3 on a"]]);
});

Deno.test("Repair of a new channel delivers what was handed over after the channel was confirmed", () => {
  for (const requestedAt of [900, 1000]) {
    const node = new RepairingNode();
    node.hear("another channel", 3, 0);
    node.now = requestedAt;
    node.channel("a").confirmedAt = 1000;
    node.now = 2000;
    node.hear("a", 9, 1);
    // What is older than the channel is not asked for; 5 s are the longest way.
    const age = 2000 - requestedAt + 5000;
    assertEquals(node.asked, [{ kind: "askMessages", id: 1, channel: "a", after: 3, age }]);
    node.now = 2020;
    // Between the question and the answer 20 ms have passed: of 1,001 ms ago nobody knows exactly.
    const ages = [1021, 1020, 1001, 1000, 20];
    node.answer("a", 3, ages.map((age, index) => ({ number: 4 + index, age })));
    const [delivered, lost] = requestedAt === 900
      ? [["3", "6", "7", "8", "9"], []]
      : [["3", "7", "8", "9"], ["1 on a"]];
    assertEquals([node.delivered, node.lost], [delivered, lost]);
  }
});
