import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Subject } from "@microsoft/signalr";
import * as v from "valibot";
import { z } from "zod";
import { defineHub, type HubContext, HubError } from "../../../mod.ts";
import { method } from "../../../hub/definition/method.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { PROTOCOLS, SignalRClient } from "../../kit/signalr_client.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { StreamReader } from "../../kit/stream_reader.ts";
import { call, result, streamCall } from "../../kit/messages.ts";
import { text } from "./schemas.ts";

type Context = HubContext<Record<never, never>>;

/** A check that takes its time. */
const isLong = (text: string) => Promise.resolve(text.length > 1);

onEachServer("method() streams with a handler that is a generator", async (serve) => {
  const hub = defineHub({
    methods: {
      count: method({
        args: [z.number().int().max(10)],
        async *handler(_context: Context, to) {
          for (let n = 1; n <= to; n++) yield n;
        },
      }),
    },
  });
  await using node = await serve({ hubs: { "/hub": hub } });
  await using client = await SignalRClient.connect(node.url("/hub"));
  const { connection } = client;
  assertEquals(await StreamReader.all(connection.stream("count", 3)), [[1, 2, 3], undefined]);
  const [items, error] = await StreamReader.all(connection.stream("count", 11));
  assertEquals(items, []);
  assertMatch(`${error}`, /^Failed to invoke 'count' .*Cannot take arguments\[0\]: Too big/);
  const plain = await assertRejects(() => client.invoke("count", 3), Error);
  assertMatch(plain.message, /the streaming 'count' method with a non-streaming invocation/);
}).forEach((test) => Deno.test(test));

for (const protocol of PROTOCOLS) {
  onEachServer(
    `method() checks the items of streams as they are read (${protocol})`,
    async (serve) => {
      const seen = new Events<unknown>();
      const hub = defineHub({
        methods: {
          sum: method({
            args: [text],
            streams: [z.coerce.number(), v.pipeAsync(v.string(), v.checkAsync(isLong, "short"))],
            async handler(_context: Context, word, numbers, words) {
              let sum = 0;
              for await (const number of numbers) {
                sum += number;
                seen.add(sum);
              }
              const all = [];
              for await (const item of words) all.push(item);
              return `${word} ${sum} ${all}`;
            },
          }),
        },
      });
      await using node = await serve({ hubs: { "/hub": hub } });
      await using client = await SignalRClient.connect(node.url("/hub"), { protocol });
      const [numbers, words] = [new Subject<unknown>(), new Subject<unknown>()];
      const sum = client.invoke("sum", numbers, "total", words);
      numbers.next("1");
      numbers.next(2);
      words.next("ab");
      numbers.complete();
      words.complete();
      assertEquals(await sum, "total 3 ab");

      const [bad, unread] = [new Subject<unknown>(), new Subject<unknown>()];
      const failed = client.invoke("sum", bad, "total", unread);
      bad.next(1);
      bad.next("one");
      const { message } = await assertRejects(() => failed, Error);
      assertEquals(
        message,
        "An unexpected error occurred invoking 'sum' on the server. " +
          "HubException: Failed to bind Stream message.",
      );
      // What still comes is dropped, more of it than may wait to be read.
      for (let item = 0; item < 50; item++) bad.next(item);
      bad.complete();
      assertEquals(seen.all, [1, 3, 1]);
      const [none, short] = [new Subject<unknown>(), new Subject<unknown>()];
      const shortened = client.invoke("sum", none, "total", short);
      none.complete();
      short.next("a");
      await assertRejects(() => shortened, Error, "Failed to bind Stream message.");
      assertEquals(node.log.lines, []);
    },
  ).forEach((test) => Deno.test(test));
}

Deno.test("a stream whose item is wrong fails once, with what is wrong as its cause, and is over then", async () => {
  const ends = new Events<unknown>();
  const hub = defineHub({
    methods: {
      read: method({
        args: [],
        streams: [z.object({ id: z.number("an id is a number") })],
        async handler(_context: Context, items) {
          const iterator = items[Symbol.asyncIterator]();
          try {
            for (;;) ends.add((await iterator.next()).value?.id);
          } catch (error) {
            ends.add(error);
          }
          ends.add((await iterator.next()).done);
        },
      }),
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send({ ...call("1", "read"), streamIds: ["s"] });
  for (const id of [1, "2", 3]) pipe.send({ type: 2, invocationId: "s", item: { id } });
  assertEquals(await ends.next(), 1);
  const error = await ends.next() as Error;
  assert(error instanceof HubError);
  assertEquals(error.message, "Failed to bind Stream message.");
  assertEquals((error.cause as Error).message, "Cannot take item.id: an id is a number");
  assertEquals(await ends.next(), true);
  assertEquals(await pipe.next(), result("1", null));
});

Deno.test("a stream with a schema is ended when its method stops reading, and when its connection goes", async () => {
  const ends = new Events<string>();
  const hub = defineHub({
    methods: {
      first: method({
        args: [],
        streams: [z.number()],
        async handler(_context: Context, items) {
          for await (const item of items) return item;
        },
      }),
      all: method({
        args: [],
        streams: [z.number()],
        async *handler(_context: Context, items) {
          try {
            yield* items;
          } catch (error) {
            ends.add((error as Error).message);
            throw error;
          }
        },
      }),
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  const item = (id: string, value: number) => ({ type: 2, invocationId: id, item: value });
  pipe.send({ ...call("1", "first"), streamIds: ["s"] });
  for (let value = 5; value < 50; value++) pipe.send(item("s", value));
  assertEquals(await pipe.next(), result("1", 5));
  // Reading goes on, and the id can be used again.
  pipe.send({ ...streamCall("2", "all"), streamIds: ["s"] }, item("s", 7));
  assertEquals(await pipe.next(), { type: 2, invocationId: "2", item: 7 });
  pipe.vanish();
  assertEquals(await ends.next(), "The underlying connection was closed.");
});
