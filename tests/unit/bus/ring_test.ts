import { assertEquals } from "@std/assert";
import { Ring, type RingEntry, type SentChannel } from "../../../hub/bus/ring.ts";

/** A ring, the channels `a` and `b`, and the numbers that it has forgotten. */
function ring(maximumBytes: number) {
  const forgotten: number[] = [];
  const kept = new Ring(maximumBytes, (_channel, number) => forgotten.push(number));
  const channels = { a: { name: "a", last: 0 }, b: { name: "b", last: 0 } };
  let number = 0;
  /** Adds a message of so many bytes, each of which is its number. */
  const add = (channel: SentChannel, bytes = 1, now = 0) => {
    const back = channel.last === 0 ? 0 : ++number - channel.last;
    if (channel.last === 0) number++;
    channel.last = number;
    kept.add(channel, back, new Uint8Array(bytes).fill(number), now);
  };
  return { kept, forgotten, add, ...channels };
}

function facts(entry: RingEntry | undefined) {
  return entry && [entry.number, entry.channel.name, entry.back, entry.at];
}

Deno.test("Ring knows each message by its number, with a copy of its payload", () => {
  const { kept, add, a, b } = ring(1000);
  add(a, 3, 10);
  add(b, 0, 11);
  add(a, 2, 12);
  assertEquals([0, 1, 2, 3, 4].map((number) => facts(kept.entry(number))), [
    ...[undefined, [1, "a", 0, 10], [2, "b", 0, 11], [3, "a", 2, 12], undefined],
  ]);
  assertEquals([0, 1, 2, 3, 4].map((number) => kept.payload(number)), [
    ...[undefined, new Uint8Array([1, 1, 1]), new Uint8Array(), new Uint8Array([3, 3]), undefined],
  ]);
  assertEquals([kept.from, kept.payloadsFrom, kept.forgottenAt], [1, 1, -Infinity]);
  const buffer = new Uint8Array([7]);
  kept.add(a, 1, buffer, 13);
  buffer[0] = 8;
  assertEquals(kept.payload(4), new Uint8Array([7]));
});

Deno.test("Ring.latest() has the last message of each channel behind a number", () => {
  const { kept, add, a, b } = ring(1000);
  for (const channel of [a, b, a, a]) add(channel);
  const latest = (after: number) => [...kept.latest(after)].map(({ number }) => number);
  assertEquals([0, 1, 2, 3, 4].map(latest), [[2, 4], [2, 4], [4], [4], []]);
});

Deno.test("Ring keeps the payloads of its newest messages, in at most so many bytes", () => {
  for (const maximumBytes of [64, 1000, 100_000]) {
    const { kept, forgotten, add, a } = ring(maximumBytes);
    for (let count = 0; count < 1000; count++) add(a, 100, count);
    const payloads = Array.from({ length: 1000 }, (_, index) => kept.payload(index + 1));
    const bytes = payloads.reduce((sum, payload) => sum + (payload?.length ?? 0), 0);
    assertEquals(bytes <= maximumBytes, true);
    // A block goes as a whole, so that at most two eighths are free.
    assertEquals(bytes >= maximumBytes * 0.7 || maximumBytes < 100, true, `${bytes}`);
    const first = payloads.findIndex((payload) => payload !== undefined);
    assertEquals(kept.payloadsFrom, first < 0 ? 1001 : first + 1);
    if (first >= 0) assertEquals(payloads.slice(first).includes(undefined), false);
    assertEquals(payloads.at(-1), maximumBytes < 100 ? undefined : new Uint8Array(100).fill(1000));
    // The order on each channel is known for longer.
    assertEquals([facts(kept.entry(1)), kept.from, forgotten], [[1, "a", 0, 0], 1, []]);
  }
});

Deno.test("Ring.payload() gives bytes that stay as they are when the ring needs room", () => {
  const { kept, add, a } = ring(64 * 1024);
  for (let count = 0; count < 800; count++) add(a, 100);
  const first = kept.payloadsFrom;
  const payload = kept.payload(first);
  for (let count = 0; count < 800; count++) add(a, 100);
  assertEquals(kept.payload(first), undefined);
  assertEquals(payload, new Uint8Array(100).fill(first));
});

Deno.test("Ring without room keeps no payload and knows who followed whom", () => {
  const { kept, add, a, b } = ring(0);
  for (const channel of [a, b, a]) add(channel, 5);
  assertEquals([1, 2, 3].map((number) => kept.payload(number)), Array(3).fill(undefined));
  assertEquals(facts(kept.entry(3)), [3, "a", 2, 0]);
  assertEquals(kept.payloadsFrom, 4);
});

Deno.test("Ring.trim() gives up payloads that are older than 30 s", () => {
  const { kept, add, a } = ring(1 << 20);
  // 16 KiB are the first block.
  add(a, 16 * 1024, 0);
  add(a, 16 * 1024, 20_000);
  kept.trim(30_000);
  assertEquals(kept.payload(1)?.length, 16 * 1024);
  kept.trim(30_001);
  assertEquals([kept.payload(1), kept.payload(2)?.length], [undefined, 16 * 1024]);
  kept.trim(50_001);
  assertEquals([kept.payload(2), kept.payloadsFrom, kept.from], [undefined, 3, 1]);
});

Deno.test("Ring forgets the oldest of 65,536 messages, and tells of each", () => {
  const { kept, forgotten, add, a } = ring(8 << 20);
  for (let count = 1; count <= 70_000; count++) add(a, 1, count);
  assertEquals(kept.from, 6017);
  assertEquals(forgotten, Array.from({ length: 6016 }, (_, index) => index + 1));
  assertEquals(kept.forgottenAt, 6016);
  assertEquals([kept.entry(6016), facts(kept.entry(6017))], [undefined, [6017, "a", 1, 6017]]);
});

Deno.test("Ring.refuse() takes the payload of one message away, and of none that is not there", () => {
  const { kept, add, a } = ring(1000);
  for (let count = 0; count < 3; count++) add(a);
  for (const number of [2, 0, 4]) kept.refuse(number);
  add(a);
  const payloads = [1, 2, 3, 4].map((number) => kept.payload(number)?.[0]);
  assertEquals(payloads, [1, undefined, 3, 4]);
  assertEquals(facts(kept.entry(2)), [2, "a", 1, 0]);
});

Deno.test("Ring.clear() forgets everything and goes on with another number", () => {
  const { kept, forgotten, add, a } = ring(1000);
  for (let count = 0; count < 3; count++) add(a);
  kept.clear(8, 50);
  assertEquals([forgotten, kept.from, kept.payloadsFrom, kept.forgottenAt], [[1, 2, 3], 8, 8, 50]);
  kept.add(a, 5, new Uint8Array([9]), 60);
  assertEquals([facts(kept.entry(8)), kept.payload(8)], [[8, "a", 5, 60], new Uint8Array([9])]);
});
