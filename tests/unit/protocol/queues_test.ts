import { assert, assertEquals } from "@std/assert";
import { ByteQueue } from "../../../hub/protocol/byte_queue.ts";
import { TextQueue } from "../../../hub/protocol/text_queue.ts";

/** A queue with the bytes 0, 1, 2 … in chunks of these sizes. */
function queueOf(...sizes: readonly number[]): ByteQueue {
  const queue = new ByteQueue();
  let next = 0;
  for (const size of sizes) queue.push(Uint8Array.from({ length: size }, () => next++));
  return queue;
}

Deno.test("ByteQueue.take() gives bytes in their order, however they came and are taken", () => {
  for (const sizes of [[9], [1, 8], [4, 0, 5], [1, 1, 1, 1, 1, 1, 1, 1, 1], [0, 0, 9, 0]]) {
    for (let first = 0; first <= 9; first++) {
      const queue = queueOf(...sizes);
      assertEquals([queue.length, queue.at(8), queue.at(9)], [9, 8, undefined]);
      const taken = [...queue.take(first), ...queue.take(9 - first)];
      assertEquals(taken, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
      assertEquals([queue.length, queue.at(0)], [0, undefined]);
    }
  }
});

Deno.test("ByteQueue.indexOf() finds a byte at or behind a place", () => {
  const queue = queueOf(2, 3, 4);
  queue.take(1);
  assertEquals([queue.indexOf(4, 0), queue.indexOf(4, 3), queue.indexOf(4, 4)], [3, 3, -1]);
  assertEquals(queue.indexOf(0, 0), -1);
});

Deno.test("ByteQueue.push() leaves alone what was taken before, and chunks of others", () => {
  const shared = new Uint8Array([0, 1, 2, 3, 4, 5]);
  const queue = new ByteQueue();
  queue.push(shared.subarray(0, 3));
  queue.push(new Uint8Array([9]));
  assertEquals([...shared], [0, 1, 2, 3, 4, 5]);
  const taken = queue.take(2);
  for (let more = 0; more < 100; more++) queue.push(new Uint8Array([7]));
  assertEquals([...taken], [0, 1]);
  assertEquals([...queue.take(3)], [2, 9, 7]);
});

Deno.test("ByteQueue.keep() forgets the end, and does not write into the chunk that it was cut from", () => {
  const chunk = new Uint8Array([0, 1, 2, 3]);
  const queue = new ByteQueue();
  queue.push(chunk);
  queue.take(1);
  queue.keep(1);
  queue.push(new Uint8Array([9, 9]));
  assertEquals([...chunk], [0, 1, 2, 3]);
  assertEquals([...queue.take(3)], [1, 9, 9]);
  queue.push(chunk);
  queue.keep(0);
  assertEquals(queue.length, 0);
});

Deno.test("ByteQueue.push() and TextQueue.push() keep nothing of what is empty", () => {
  const bytes = queueOf(3);
  const text = new TextQueue();
  text.push("abc");
  const { heapUsed } = Deno.memoryUsage();
  for (let more = 0; more < 1_000_000; more++) {
    bytes.push(new Uint8Array(0));
    text.push("");
  }
  // Kept, they would take a hundred bytes each.
  assert(Deno.memoryUsage().heapUsed - heapUsed < 50e6);
  assertEquals([[...bytes.take(3)], text.take()], [[0, 1, 2], "abc"]);
});

Deno.test("TextQueue.take() gives text in its order, however many pieces it came in", () => {
  for (const count of [0, 1, 2, 1023, 1024, 1025, 5000]) {
    const queue = new TextQueue();
    let whole = "";
    for (let piece = 0; piece < count; piece++) {
      queue.push(`${piece},`);
      whole += `${piece},`;
    }
    assertEquals(queue.length, whole.length);
    assertEquals(queue.take(), whole);
    assertEquals([queue.length, queue.take()], [0, ""]);
  }
});
