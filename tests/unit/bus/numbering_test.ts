import { assertEquals } from "@std/assert";
import type { HubSign } from "../../../hub/bus/node_messages.ts";
import { Numbering } from "../../../hub/bus/numbering.ts";

const ROOM = { tails: 500, characters: 60_000 };

/** What one node publishes for a hub, while time stands still unless it is told. */
class Sender {
  now = 0;
  readonly numbering: Numbering;

  constructor(maximumBytes = 1 << 20, answerBytes?: number) {
    this.numbering = new Numbering(maximumBytes, answerBytes);
  }

  /** Publishes a message whose only byte is its number; returns its number and its back. */
  send(channel: string): [number: number, back: number] {
    const back = this.numbering.next(channel, this.now);
    const { number } = this.numbering;
    this.numbering.keep(back, new Uint8Array([number]), this.now);
    return [number, back];
  }

  /** The next sign after some time; `accepted` is the answer of the bus, if it answers. */
  sign(pause: number, accepted?: boolean, room = ROOM): HubSign {
    this.now += pause;
    const sign = this.numbering.sign("hub", room, this.now);
    if (accepted !== undefined) this.numbering.signed(sign, accepted);
    return sign;
  }

  /** The numbers that are repeated of a channel. */
  repeated(channel: string, after: number, age?: number) {
    const { messages, upTo, missing } = this.numbering.repeat(channel, after, age, this.now);
    const kept = messages.map(({ number, payload }) => payload == null ? -number : number);
    return { kept, upTo, missing };
  }
}

function told({ number, told, tails }: HubSign) {
  return { number, told, tails: Object.fromEntries(tails) };
}

Deno.test("Numbering counts the messages of the hub, and says how far back the one before is", () => {
  const sender = new Sender();
  const sent = ["a", "b", "a", "a", "b"].map((channel) => sender.send(channel));
  assertEquals(sent, [[1, 0], [2, 0], [3, 2], [4, 1], [5, 3]]);
});

Deno.test("Numbering.sign() lists channels that were quiet for 200 ms, or are untold for 1 s", () => {
  const sender = new Sender();
  sender.send("quiet");
  sender.send("busy");
  assertEquals(told(sender.sign(199, true)), { number: 2, told: 0, tails: {} });
  sender.send("busy");
  assertEquals(told(sender.sign(1, true)), { number: 3, told: 1, tails: { quiet: 1 } });
  for (let time = 0; time < 7; time++) {
    sender.send("busy");
    sender.now += 100;
  }
  assertEquals(told(sender.sign(99, true)), { number: 10, told: 1, tails: {} });
  sender.send("busy");
  assertEquals(told(sender.sign(1, true)), { number: 11, told: 11, tails: { busy: 11 } });
  assertEquals(told(sender.sign(5000, true)), { number: 11, told: 11, tails: {} });
});

Deno.test("Numbering.sign() has room for 500 channels, or fewer; the rest comes with the next one", () => {
  const sender = new Sender();
  for (let channel = 0; channel < 700; channel++) sender.send(`${channel}`);
  const small = sender.sign(1000, true, { tails: 100, characters: 60_000 });
  assertEquals([small.tails.length, small.told, sender.numbering.overflows], [100, 100, true]);
  const narrow = sender.sign(0, true, { tails: 500, characters: 30 });
  assertEquals([narrow.tails.length, narrow.told], [10, 110]);
  const most = sender.sign(0, true, { tails: 1000, characters: 60_000 });
  assertEquals([most.tails.length, most.told, sender.numbering.overflows], [500, 610, true]);
  const last = sender.sign(0, true);
  assertEquals([last.tails.length, last.told, sender.numbering.overflows], [90, 700, false]);
});

Deno.test("Numbering.signed() lists again what the bus has not answered", () => {
  const sender = new Sender();
  sender.send("a");
  sender.send("b");
  const lost = sender.sign(1000);
  sender.send("a");
  assertEquals(told(sender.sign(200, true)), { number: 3, told: 3, tails: { a: 3 } });
  sender.numbering.signed(lost, false);
  assertEquals(told(sender.sign(0, true)).tails, { a: 3, b: 2 });
  assertEquals(told(sender.sign(1000, true)).tails, {});
});

Deno.test("Numbering.unanswered() is settled by the sign that lists the message, once accepted", () => {
  const sender = new Sender();
  const settled: string[] = [];
  sender.send("a");
  sender.send("b");
  const before = sender.sign(1000);
  sender.send("a");
  sender.send("b");
  const wait = (channel: string, number: number) =>
    sender.numbering.unanswered(channel, number, () => settled.push(`${channel}${number}`));
  assertEquals([wait("a", 3), wait("b", 4), wait("never", 5)], [true, true, false]);
  // They are listed at once, although they are not quiet.
  const after = sender.sign(0);
  assertEquals(told(after).tails, { a: 3, b: 4 });
  sender.numbering.signed(before, true);
  assertEquals(settled, []);
  sender.numbering.signed(after, false);
  assertEquals(settled, []);
  sender.sign(0, true);
  assertEquals(settled, ["a3", "b4"]);
  assertEquals(told(sender.sign(1000, true)).tails, {});
});

Deno.test("Numbering repeats what came after a number, and what is not too old", () => {
  const sender = new Sender();
  for (const channel of ["a", "b", "a", "a"]) {
    sender.send(channel);
    sender.now += 1000;
  }
  assertEquals(sender.repeated("a", 0), { kept: [1, 3, 4], upTo: 4, missing: 0 });
  assertEquals(sender.repeated("a", 1), { kept: [3, 4], upTo: 4, missing: 0 });
  assertEquals(sender.repeated("a", 0, 2000), { kept: [3, 4], upTo: 4, missing: 0 });
  assertEquals(sender.repeated("a", 4), { kept: [], upTo: 4, missing: 0 });
  assertEquals(sender.repeated("unknown", 0), { kept: [], upTo: 4, missing: 0 });
  const [, second] = sender.numbering.repeat("a", 0, undefined, sender.now).messages;
  assertEquals(second, { number: 3, back: 2, age: 2000, payload: new Uint8Array([3]) });
  const index = { upTo: 4, number: 4, from: 1, age: undefined };
  const indexed = (after: number, age?: number) => sender.numbering.index(after, age, sender.now);
  assertEquals(indexed(0), { ...index, channels: [["b", 2], ["a", 4]] });
  assertEquals(indexed(2), { ...index, channels: [["a", 4]] });
  assertEquals(indexed(0, 2000), { ...index, channels: [["a", 4]] });
});

Deno.test("Numbering answers in pages", () => {
  const sender = new Sender(1 << 20, 100);
  for (let time = 0; time < 5; time++) sender.send("a");
  // 33 bytes a message, three in a page.
  assertEquals(sender.repeated("a", 0), { kept: [1, 2, 3], upTo: 3, missing: 0 });
  assertEquals(sender.repeated("a", 3), { kept: [4, 5], upTo: 5, missing: 0 });
  for (const channel of ["b", "c", "d", "e"]) sender.send(channel);
  const page = (after: number) => sender.numbering.index(after, undefined, 0);
  assertEquals([page(0).upTo, page(0).channels.length], [8, 4]);
  assertEquals([page(8).upTo, page(8).channels], [9, [["e", 9]]]);
});

Deno.test("Numbering says which messages it keeps no longer, and which the bus has refused", () => {
  const sender = new Sender(8);
  for (let time = 0; time < 10; time++) sender.send("a");
  sender.numbering.refused(10);
  const { kept, missing } = sender.repeated("a", 0);
  assertEquals([kept, missing], [[-1, -2, 3, 4, 5, 6, 7, 8, 9, -10], 0]);
  const { messages } = sender.numbering.repeat("a", 0, undefined, 0);
  assertEquals([messages[0]?.payload, messages[9]?.payload], [null, undefined]);
});

Deno.test("Numbering forgets a channel that a sign has listed and the ring knows no more", () => {
  const sender = new Sender();
  for (const channel of ["told", "untold"]) sender.send(channel);
  const sign = sender.numbering.sign("hub", { tails: 1, characters: 100 }, 1000);
  assertEquals(sign.tails, [["told", 1]]);
  sender.numbering.signed(sign, true);
  for (let time = 0; time < 70_000; time++) sender.send("many");
  // Something may be missing of what came before; nothing on the channel is known to be.
  assertEquals(sender.send("told"), [70_003, 1 - 70_003]);
  assertEquals(sender.send("untold"), [70_004, 70_002]);
  assertEquals(sender.repeated("untold", 0), { kept: [70_004], upTo: 70_004, missing: 1 });
  // A channel that was never there might have been one of the forgotten.
  assertEquals(sender.send("new"), [70_005, 1 - 70_005]);
});

Deno.test("Numbering.nextAlone() numbers what nobody else hears, and keeps nothing", () => {
  const sender = new Sender();
  const { numbering } = sender;
  assertEquals([numbering.nextAlone(1), numbering.nextAlone(2), numbering.nextAlone(3)], [
    ...[0, -1, -1],
  ]);
  assertEquals(told(sender.sign(1000, true)), { number: 3, told: 3, tails: {} });
  assertEquals(numbering.unanswered("a", 3, () => {}), false);
  sender.now = 10;
  assertEquals([sender.send("a"), sender.send("a")], [[4, -1], [5, 1]]);
  assertEquals(sender.repeated("a", 0), { kept: [4, 5], upTo: 5, missing: 0 });
  const { channels, ...index } = numbering.index(0, undefined, 10);
  assertEquals(index, { upTo: 5, number: 5, from: 4, age: 7 });
  assertEquals(channels, [["a", 5]]);
  // The other node has left.
  assertEquals(numbering.nextAlone(20), -1);
  assertEquals(sender.send("a"), [7, -1]);
});

Deno.test("Numbering lets others ask once when more than 50,000 channels wait for a sign", () => {
  const sender = new Sender();
  for (let channel = 0; channel <= 50_000; channel++) sender.send(`${channel}`);
  const sign = sender.sign(1000, true);
  assertEquals([sign.number, sign.told, sign.tails[0]], [50_001, 0, ["1", 2]]);
  assertEquals(sender.sign(0, true).told, 1001);
});
