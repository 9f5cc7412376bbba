import { Subject } from "@microsoft/signalr";
import { assertEquals, assertRejects } from "@std/assert";
import { defineHub, type HubContext, HubError } from "../../../mod.ts";
import { Events } from "../../kit/wait.ts";
import { StreamReader } from "../../kit/stream_reader.ts";
import { onEachProtocol } from "./protocols.ts";

type Context = HubContext<{ got(value: unknown): void }>;

/** What `items` gives, and the error that it ends in. */
async function drain(items: AsyncIterable<unknown>): Promise<[unknown[], string]> {
  const all: unknown[] = [];
  try {
    for await (const item of items) all.push(item);
    return [all, "ended"];
  } catch (error) {
    return [all, `${(error as Error).name}: ${(error as Error).message}`];
  }
}

function uploadHub() {
  const log = new Events<unknown>();
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      all: (_context: Context, items: AsyncIterable<unknown>) => drain(items),
      async logged(_context: Context, items: AsyncIterable<unknown>) {
        log.add(await drain(items));
      },
      async two(
        _context: Context,
        before: string,
        first: AsyncIterable<unknown>,
        second: AsyncIterable<unknown>,
      ) {
        return [before, ...await Promise.all([drain(first), drain(second)])];
      },
      async firstTwo(_context: Context, items: AsyncIterable<unknown>) {
        const taken: unknown[] = [];
        for await (const item of items) {
          taken.push(item);
          log.add(item);
          if (taken.length === 2) break;
        }
        log.add("left");
        return taken;
      },
      never: (_context: Context, _items: AsyncIterable<unknown>) => "unread",
      async *double(_context: Context, items: AsyncIterable<number>) {
        try {
          for await (const item of items) yield 2 * item;
        } finally {
          log.add("double ended");
        }
      },
      async pairs(_context: Context, items: AsyncIterable<unknown>) {
        const iterator = items[Symbol.asyncIterator]();
        const results = await Promise.all([1, 2, 3, 4].map(() => iterator.next()));
        return results.map(({ done, value }) => done ? "done" : value);
      },
      async stops(_context: Context, items: AsyncIterable<unknown>) {
        for await (const _item of items) throw new HubError("Stop it");
      },
    },
  });
  return { hub, log };
}

/** A subject that gives `items` and ends; the client must have subscribed to it before. */
function give(subject: Subject<unknown>, ...items: readonly unknown[]): void {
  for (const item of items) subject.next(item);
  subject.complete();
}

onEachProtocol(
  "a method reads what its client uploads, in order, to its end",
  uploadHub,
  async ({ client }) => {
    for (const items of [[], [1], ["a", null, { b: [2] }], [...Array(1000).keys()]]) {
      const subject = new Subject<unknown>();
      const result = client.invoke("all", subject);
      give(subject, ...items);
      assertEquals(await result, [items, "ended"]);
    }
  },
).forEach((test) => Deno.test(test));

onEachProtocol(
  "a method reads dates and bytes that its client uploads as its protocol has them",
  uploadHub,
  async ({ client, log, protocol }) => {
    const subject = new Subject<unknown>();
    await client.connection.send("logged", subject);
    const date = new Date("2026-01-02T03:04:05.678Z");
    give(subject, date, 2 ** 40);
    const expected = protocol === "json" ? date.toJSON() : date;
    assertEquals(await log.next(), [[expected, 2 ** 40], "ended"]);
  },
).forEach((test) => Deno.test(test));

onEachProtocol(
  "a method reads several uploads at once, behind its other arguments",
  uploadHub,
  async ({ client }) => {
    const [first, second] = [new Subject<unknown>(), new Subject<unknown>()];
    // The official client does not recognise two streams that stand next to each other.
    const result = client.invoke("two", first, "x", second);
    for (const n of [1, 2, 3]) {
      first.next(n);
      second.next(-n);
    }
    second.complete();
    first.error(new Error("torn"));
    assertEquals(await result, ["x", [[1, 2, 3], "HubError: torn"], [
      [-1, -2, -3],
      "ended",
    ]]);
  },
).forEach((test) => Deno.test(test));

onEachProtocol(
  "a method that reads no more of an upload drops the rest of it",
  uploadHub,
  async ({ client, log }) => {
    const subject = new Subject<unknown>();
    const result = client.invoke("firstTwo", subject);
    for (const n of [1, 2]) subject.next(n);
    assertEquals(await log.take(3), [1, 2, "left"]);
    // More than any buffer holds: nobody waits for room.
    for (let n = 3; n < 100; n++) subject.next(n);
    assertEquals(await result, [1, 2]);
    subject.next("late");
    subject.complete();
    assertEquals(await client.invoke("echo", 1), 1);
    const unread = new Subject<unknown>();
    const unreadResult = client.invoke("never", unread);
    for (let n = 0; n < 100; n++) unread.next(n);
    assertEquals(await unreadResult, "unread");
    assertEquals(await client.invoke("echo", 2), 2);
  },
).forEach((test) => Deno.test(test));

onEachProtocol(
  "a method that throws while it reads an upload fails its call alone",
  uploadHub,
  async ({ client }) => {
    const subject = new Subject<unknown>();
    const result = client.invoke("stops", subject);
    for (let n = 0; n < 100; n++) subject.next(n);
    const { message } = await assertRejects(() => result, Error);
    assertEquals(
      message,
      "An unexpected error occurred invoking 'stops' on the server. HubException: Stop it",
    );
    assertEquals(await client.invoke("echo", 1), 1);
  },
).forEach((test) => Deno.test(test));

onEachProtocol(
  "a method may stream what it reads from an upload while it comes",
  uploadHub,
  async ({ client }) => {
    const subject = new Subject<unknown>();
    const reader = new StreamReader(client.connection.stream("double", subject));
    for (let n = 0; n < 100; n++) {
      subject.next(n);
      assertEquals(await reader.items.next(), 2 * n);
    }
    subject.complete();
    assertEquals(await reader.end, undefined);
  },
).forEach((test) => Deno.test(test));

onEachProtocol(
  "dispose() of a stream that reads an upload ends both",
  uploadHub,
  async ({ client, log }) => {
    const subject = new Subject<unknown>();
    const reader = new StreamReader(client.connection.stream("double", subject));
    subject.next(1);
    assertEquals(await reader.items.next(), 2);
    reader.cancel();
    assertEquals(await log.next(), "double ended");
    for (let n = 0; n < 100; n++) subject.next(n);
    assertEquals(await client.invoke("echo", 2), 2);
    assertEquals(reader.items.all, [2]);
  },
).forEach((test) => Deno.test(test));

onEachProtocol(
  "several reads of an upload at once get an item each",
  uploadHub,
  async ({ client }) => {
    const subject = new Subject<unknown>();
    const result = client.invoke("pairs", subject);
    give(subject, "a", "b", "c");
    assertEquals(await result, ["a", "b", "c", "done"]);
  },
).forEach((test) => Deno.test(test));

onEachProtocol(
  "a call with another number of uploads than its method takes is refused",
  uploadHub,
  async ({ client }) => {
    const [first, second] = [new Subject<unknown>(), new Subject<unknown>()];
    const failure = async (method: string, ...args: unknown[]) =>
      (await assertRejects(() => client.invoke(method, ...args), Error)).message;
    const mismatch = (method: string, sent: number, expected: number) =>
      `An unexpected error occurred invoking '${method}' on the server. ` +
      `HubException: Client sent ${sent} stream(s), Hub method expects ${expected}.`;
    assertEquals(await failure("two", first, "x"), mismatch("two", 1, 2));
    assertEquals(await failure("two", first, "x", second, "y"), mismatch("two", 2, 1));
    assertEquals(await failure("echo", 1, first), mismatch("echo", 1, 0));
    assertEquals(await failure("all"), "Failed to invoke 'all' due to an error on the server.");
    // What was refused is no open stream.
    for (const subject of [first, second]) give(subject, 1, 2);
    assertEquals(await client.invoke("echo", 1), 1);
  },
).forEach((test) => Deno.test(test));
