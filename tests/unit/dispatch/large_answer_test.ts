/**
 * Answers that would be larger than `maximumSendMessageSize`: a client chooses the names and ids in them.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { method } from "../../../hub/definition/method.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { call, end, item, result, streamCall, uploading } from "../../kit/messages.ts";

type Context = HubContext<Record<never, never>>;

const OPTIONS = { maximumSendMessageSize: 16_384 };
const LONG = "x".repeat(20_000);

const hub = defineHub({
  methods: {
    now: (_context: Context) => 1,
    // deno-lint-ignore require-await
    later: async (_context: Context) => 1,
    large: (_context: Context) => LONG,
    largeLater: (_context: Context) => Promise.resolve(LONG),
    fail(_context: Context) {
      throw new Error("failed");
    },
    locked: method({ authorize: () => false, handler: (_context: Context) => 1 }),
    *one(_context: Context) {
      yield 1;
    },
    *none(_context: Context) {},
    sum: (_context: Context, numbers: AsyncIterable<number>) => Array.fromAsync(numbers),
  },
});

const INVOKING = (target: string) =>
  `An unexpected error occurred invoking '${target}' on the server.`;

Deno.test("a refusal repeats at most 200 characters of the target, whatever its length", async () => {
  await using core = new HubCore(hub, OPTIONS);
  const { pipe, connection } = await core.connect();
  pipe.send(call("1", LONG), call("2", "now"));
  assertEquals(
    await pipe.next(),
    end(
      "1",
      `Failed to invoke '${"x".repeat(199)}…' due to an error on the server. ` +
        "HubException: Method does not exist.",
    ),
  );
  assertEquals(await pipe.next(), result("2", 1));
  assertEquals(connection.isClosed, false);
});

Deno.test("a call with an id that is too long for its answer ends with an error", async () => {
  await using core = new HubCore(hub, OPTIONS);
  const { pipe, connection } = await core.connect();
  for (const target of ["now", "later", "large", "largeLater", "fail"]) {
    pipe.send(call(LONG, target));
    assertEquals(await pipe.next(), end(LONG, INVOKING(target)));
  }
  pipe.send(call(LONG, "unknown"), call(LONG, "locked"), call(LONG, "one"));
  for (let n = 0; n < 3; n++) {
    const answer = await pipe.next() as { invocationId: string; error: string };
    assertEquals(answer.invocationId, LONG);
    assertMatch(answer.error, /^Failed to invoke|^The client attempted/);
  }
  pipe.send(streamCall(LONG, "one"));
  assertEquals(
    await pipe.next(),
    end(LONG, "An error occurred on the server while streaming results."),
  );
  // A stream without items needs no limit.
  pipe.send(streamCall(LONG, "none"));
  assertEquals(await pipe.next(), end(LONG));
  pipe.send(call("1", "now"));
  assertEquals(await pipe.next(), result("1", 1));
  assertEquals(connection.isClosed, false);
});

Deno.test("an id that is in use is repeated in part", async () => {
  await using core = new HubCore(hub, OPTIONS);
  const { pipe } = await core.connect();
  pipe.send(uploading("1", "sum", [LONG]), uploading("2", "sum", [LONG]));
  const { error } = await pipe.next() as { error: string };
  assertMatch(error, /HubException: Stream ID 'x{199}…' is already in use\.$/);
  pipe.send(end(LONG));
  assertEquals(await pipe.next(), result("1", []));
});

Deno.test("items and results within maximumSendMessageSize are sent", async () => {
  await using core = new HubCore(hub, OPTIONS);
  const { pipe } = await core.connect();
  pipe.send(streamCall("1", "one"));
  assertEquals([await pipe.next(), await pipe.next()], [item("1", 1), end("1")]);
});

Deno.test("an error that cannot be described ends the connection of its call, and no other", async () => {
  const indescribable = () =>
    Object.defineProperty(new Error(), "message", {
      get() {
        throw new TypeError("no message");
      },
    });
  const odd = defineHub({
    methods: {
      now(_context: Context) {
        throw indescribable();
      },
      later: (_context: Context) => Promise.reject(indescribable()),
      fine: (_context: Context) => 1,
    },
  });
  await using core = new HubCore(odd, { detailedErrors: true });
  const other = await core.connect();
  for (const target of ["now", "later"]) {
    const { pipe, connection } = await core.connect();
    pipe.send(call("1", target));
    assertEquals(await pipe.next(), {
      type: 7,
      error: "Connection closed with an error. TypeError: no message",
      allowReconnect: true,
    });
    await connection.finished;
  }
  other.pipe.send(call("1", "fine"));
  assertEquals(await other.pipe.next(), result("1", 1));
});

for (
  const [how, message] of Object.entries({
    "throws": () => {
      throw new Error("unforeseen");
    },
    "rejects": () => Promise.reject(new Error("unforeseen")),
  })
) {
  Deno.test(`a hub that ${how} for a message ends the connection, and is logged as an error`, async () => {
    await using core = new HubCore(hub);
    const { pipe, connection } = await core.connect();
    core.live.message = message;
    pipe.send(call("1", "now"), call("2", "now"));
    const text = "Connection closed with an error.";
    assertEquals(await pipe.next(), { type: 7, error: text, allowReconnect: true });
    await connection.finished;
    assertEquals(core.log.lines, [
      "error A message of a client could not be handled: Error: unforeseen",
    ]);
  });
}
