/**
 * Without a server: clients are pipes in memory that take everything at once. `tests/nodes/streaming/`
 * has the same sources on every server.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { looksAround } from "../../kit/looks_around.ts";
import { call, result, streamCall } from "../../kit/messages.ts";
import { settle } from "../../kit/pipe.ts";

type Context = HubContext<Record<never, never>>;

/** Where the sources end: a stream that never waits gives all of them before the test goes on. */
const BRAKE = 100_000;

/** A hub that counts the items that its sources were asked for. */
function countingHub() {
  const given = { items: 0 };
  function* numbers() {
    while (given.items < BRAKE) yield given.items++;
  }
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      *generator(_context: Context) {
        yield* numbers();
      },
      async *asynchronous(_context: Context) {
        yield* numbers();
      },
      readable: (_context: Context) => ReadableStream.from(numbers()),
      iterator: (_context: Context) => numbers(),
      rows: (_context: Context) =>
        Object.defineProperty(Array(BRAKE).fill(0), Symbol.iterator, { value: numbers }),
    },
  });
  return { hub, given };
}

for (const source of ["generator", "asynchronous", "readable", "iterator", "rows"]) {
  Deno.test(`a stream whose items are in memory gives way to everybody else: ${source}`, async () => {
    const { hub, given } = countingHub();
    await using core = new HubCore(hub);
    const { pipe, connection } = await core.connect();
    const other = await core.connect();
    pipe.send(streamCall("1", source));
    await settle();
    // Three turns have passed.
    assert(given.items > 0 && given.items < 2000, `${given.items} items`);
    other.pipe.send(call("2", "echo", "served"));
    assertEquals(await other.pipe.next(), result("2", "served"));
    pipe.vanish();
    await connection.finished;
    const atEnd = given.items;
    await settle();
    assertEquals(given.items, atEnd);
    assert(atEnd < 4000, `${atEnd} items`);
  });
}

Deno.test("streams share the time of a turn", async () => {
  const { hub, given } = countingHub();
  await using core = new HubCore(hub);
  const clients = await Promise.all(Array.from({ length: 10 }, () => core.connect()));
  for (const { pipe } of clients) pipe.send(streamCall("1", "generator"));
  await settle();
  assert(given.items < 2000, `${given.items} items`);
  for (const { pipe } of clients) {
    assert(pipe.records.length > 1, `${pipe.records.length} records`);
    pipe.vanish();
  }
});

Deno.test("a stream waits while its client closes the pipe", async () => {
  const { hub, given } = countingHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.closing = true;
  pipe.send(streamCall("1", "generator"));
  await looksAround();
  assertEquals(given.items, 1);
  pipe.vanish();
  await connection.finished;
  assertEquals(given.items, 1);
});
