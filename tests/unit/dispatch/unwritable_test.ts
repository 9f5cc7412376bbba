import { assertEquals, assertMatch } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { call, end, item, result, streamCall } from "../../kit/messages.ts";

type Context = HubContext<Record<never, never>>;

function forgetfulHub() {
  const left = new Events<string>();
  const finish = Promise.withResolvers<string>();
  const hub = defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      later: (_context: Context) => finish.promise,
      /** The author has forgotten an `await`, as in `{ name, photo: load(name) }`. */
      forgotten: (_context: Context) => ({ user: { photo: () => "loaded" } }),
      infinite: (_context: Context) => Promise.resolve([{ total: NaN }]),
      thrower: (_context: Context) => ({
        toJSON() {
          throw new Error("no text");
        },
      }),
      async *rows(_context: Context) {
        try {
          yield 1;
          yield { total: Infinity };
          yield 3;
        } finally {
          left.add("rows");
        }
      },
      nothing(_context: Context) {
        throw Object.create(null);
      },
      // deno-lint-ignore require-await
      async nothingLater(_context: Context) {
        throw Object.create(null);
      },
    },
  });
  return { hub, left, finish };
}

const ERROR = (method: string) =>
  `An unexpected error occurred invoking '${method}' on the server.`;

Deno.test("a result that cannot be written fails its call, and no other", async () => {
  const { hub, finish } = forgetfulHub();
  await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: 10 });
  const { pipe, connection } = await core.connect();
  pipe.send(call("0", "later"));
  for (const method of ["forgotten", "infinite", "thrower"]) {
    pipe.send(call("1", method));
    assertEquals(await pipe.next(), end("1", ERROR(method)));
  }
  finish.resolve("later");
  assertEquals(await pipe.next(), result("0", "later"));
  assertEquals(connection.isClosed, false);
  assertEquals(core.log.lines.length, 3);
  assertMatch(core.log.lines[0] ?? "", /^error Hub method "forgotten" failed: .*user\.photo/);
  assertMatch(core.log.lines[1] ?? "", /^error Hub method "infinite" failed: .*\[0\]\.total/);
  assertEquals(core.log.lines[2], 'error Hub method "thrower" failed: Error: no text');
});

Deno.test("a call without an id is not answered, so its result may be anything", async () => {
  const { hub } = forgetfulHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call(undefined, "forgotten"), call("1", "echo", 1));
  assertEquals(await pipe.next(), result("1", 1));
  assertEquals(core.log.lines, []);
});

Deno.test("detailedErrors tells the client which part of a result cannot be written", async () => {
  const { hub } = forgetfulHub();
  await using core = new HubCore(hub, { detailedErrors: true });
  const { pipe } = await core.connect();
  pipe.send(call("1", "infinite"));
  const { error } = await pipe.next() as { error: string };
  assertEquals(
    error,
    `${ERROR("infinite")} TypeError: Cannot serialise result[0].total: it is NaN`,
  );
});

Deno.test("an item that cannot be written ends its stream, and the method that gives it", async () => {
  const { hub, left } = forgetfulHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(streamCall("1", "rows"));
  assertEquals(await pipe.next(), item("1", 1));
  assertEquals(
    await pipe.next(),
    end("1", "An error occurred on the server while streaming results."),
  );
  assertEquals(await left.next(), "rows");
  pipe.send(call("2", "echo", 2));
  assertEquals(await pipe.next(), result("2", 2));
  assertEquals(core.log.lines.length, 1);
  assertMatch(core.log.lines[0] ?? "", /^error Hub method "rows" failed: .*total/);
});

Deno.test("a method may throw what has no text", async () => {
  const { hub } = forgetfulHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  for (const method of ["nothing", "nothingLater"]) {
    pipe.send(call("1", method));
    assertEquals(await pipe.next(), end("1", ERROR(method)));
  }
});
