import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Subject } from "@microsoft/signalr";
import {
  defineHub,
  type HubContext,
  HubError,
  type HubFilter,
  type HubInvocationContext,
  type HubUser,
} from "../../../mod.ts";
import { method } from "../../../hub/definition/method.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { StreamReader } from "../../kit/stream_reader.ts";
import { call, failure, result } from "../../kit/messages.ts";

type Context = HubContext<{ got(...values: unknown[]): void }>;

/** A filter that notes what it sees under a name. */
function noting(name: string, log: string[]): HubFilter {
  return {
    async invoke({ hub, method, args }, next) {
      log.push(`${name} > ${hub}.${method}(${args})`);
      const value = await next();
      log.push(`${name} < ${value}`);
      return value;
    },
    async connected({ connectionId }, next) {
      log.push(`${name} > connected ${connectionId}`);
      await next();
      log.push(`${name} < connected`);
    },
    async disconnected(_context, error, next) {
      log.push(`${name} > disconnected ${error?.message}`);
      await next();
      log.push(`${name} < disconnected`);
    },
  };
}

Deno.test("HubFilter runs around calls and hooks, the server's outside the hub's, the first outermost", async () => {
  const log: string[] = [];
  const hub = defineHub({
    methods: {
      Add(_context: Context, a: number, b: number) {
        log.push("Add");
        return a + b;
      },
    },
    filters: [noting("third", log), noting("fourth", log)],
    connected: () => log.push("connected"),
    disconnected: (_context, error) => log.push(`disconnected ${error?.message}`),
  });
  const filters = [noting("first", log), noting("second", log)];
  await using core = new HubCore(hub, { filters });
  const { pipe, connection } = await core.connect();
  pipe.send(call("1", "ADD", 1, 2));
  assertEquals(await pipe.next(), result("1", 3));
  pipe.send({ type: 7, error: "enough" });
  await connection.finished;
  const names = ["first", "second", "third", "fourth"];
  const inward = (text: string) => names.map((name) => `${name} > ${text}`);
  const outward = (text: string) => names.toReversed().map((name) => `${name} < ${text}`);
  assertEquals(log, [
    ...[...inward("connected c1"), "connected", ...outward("connected")],
    // As the hub has the name, not as the client wrote it.
    ...[...inward("hub.Add(1,2)"), "Add", ...outward("3")],
    ...[...inward("disconnected enough"), "disconnected enough", ...outward("disconnected")],
  ]);
});

Deno.test("HubFilter.invoke() can change arguments and result, throw, and not call next", async () => {
  const called: unknown[] = [];
  const hub = defineHub({
    methods: {
      echo(_context: Context, text: string) {
        called.push(text);
        return text;
      },
    },
    filters: [{
      async invoke({ args: [text] }, next) {
        if (text === "refuse") throw new HubError("not today");
        if (text === "break") throw new Error("secret");
        if (text === "answer") return "without the method";
        if (text === "nothing") return undefined;
        return `<${await next([`${text}!`])}>`;
      },
    }, {
      // It sees what the one before has made of them.
      invoke: ({ args: [text] }, next) => next([`${text}?`]),
    }],
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  const texts = ["say", "refuse", "break", "answer", "nothing"];
  pipe.send(...texts.map((text) => call(text, "echo", text)));
  const failed = "An unexpected error occurred invoking 'echo' on the server.";
  assertEquals([
    ...[await pipe.next(), await pipe.next(), await pipe.next()],
    ...[await pipe.next(), await pipe.next()],
  ], [
    result("say", "<say!?>"),
    failure("refuse", `${failed} HubException: not today`),
    failure("break", failed),
    result("answer", "without the method"),
    result("nothing", null),
  ]);
  assertEquals(called, ["say!?"]);
  assertEquals(core.log.lines, ['error Hub method "echo" failed: Error: secret']);
});

Deno.test("HubFilter.invoke() sees an error of the method, and can replace it", async () => {
  const hub = defineHub({
    methods: {
      fail(_context: Context, text: string): void {
        throw new Error(text);
      },
    },
    filters: [{
      async invoke(_context, next) {
        try {
          return await next();
        } catch (error) {
          throw new HubError(`translated: ${(error as Error).message}`);
        }
      },
    }],
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "fail", "why"));
  const text = "An unexpected error occurred invoking 'fail' on the server. " +
    "HubException: translated: why";
  assertEquals(await pipe.next(), failure("1", text));
});

Deno.test("HubFilter.invoke() that forgets its next() leaves no unhandled rejection, and starts the method", async () => {
  const started = new Events<string>();
  const hub = defineHub({
    methods: {
      fail(_context: Context): void {
        started.add("fail");
        throw new Error("nobody hears it");
      },
    },
    filters: [{ invoke: (_context, next) => void next() }],
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "fail"));
  assertEquals(await pipe.next(), result("1", null));
  assertEquals(started.all, ["fail"]);
  // The test runner fails on a rejection that nobody handles by the end of the turn.
  await settle();
});

Deno.test("HubFilter keeps its this, and gets the context that the method gets", async () => {
  class Counter implements HubFilter {
    calls = 0;
    invoke = async (
      { items, user }: HubInvocationContext<never, HubUser>,
      next: () => Promise<unknown>,
    ) => {
      items.set("calls", ++this.calls);
      return [user?.id, await next()];
    };
  }
  const hub = defineHub({
    methods: { calls: ({ items }: Context) => items.get("calls") },
    filters: [new Counter()],
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect({ id: "ann" });
  pipe.send(call("1", "calls"), call("2", "calls"));
  assertEquals([await pipe.next(), await pipe.next()], [
    result("1", ["ann", 1]),
    result("2", ["ann", 2]),
  ]);
});

Deno.test("HubFilter.invoke() runs only for calls that are allowed and whose arguments are right", async () => {
  const seen: string[] = [];
  const hub = defineHub({
    methods: {
      one: (_context: Context, value: number) => value,
      closed: method({ authorize: () => false, handler: (_context: Context) => 1 }),
      async *count(_context: Context) {},
    },
    filters: [{
      invoke({ method }, next) {
        seen.push(method);
        return next();
      },
    }],
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "one"), call("2", "closed"), call("3", "nosuch"), call("4", "count"));
  pipe.send(call("5", "one", 7));
  for (let answer = 0; answer < 4; answer++) await pipe.next();
  assertEquals(await pipe.next(), result("5", 7));
  assertEquals(seen, ["one"]);
});

onEachServer(
  "HubFilter.invoke() can wrap streams in both directions, for the official client",
  async (serve) => {
    const hub = defineHub({
      methods: {
        async *count(_context: Context, to: number) {
          for (let n = 1; n <= to; n++) yield n;
        },
        letters: (_context: Context) => ReadableStream.from(["a", "b"]),
        async sum(_context: Context, items: AsyncIterable<number>) {
          let sum = 0;
          for await (const item of items) sum += item;
          return sum;
        },
      },
      filters: [{
        async invoke({ args }, next) {
          const wrapped = args.map((arg) => isStream(arg) ? tenfold(arg) : arg);
          const value = await next(wrapped);
          return isStream(value) ? twice(value) : value;
        },
      }],
    });
    await using node = await serve({ hubs: { "/hub": hub } });
    await using client = await SignalRClient.connect(node.url("/hub"));
    const { connection } = client;
    const all = StreamReader.all;
    assertEquals(await all(connection.stream("count", 2)), [[1, 1, 2, 2], undefined]);
    assertEquals(await all(connection.stream("letters")), [["a", "a", "b", "b"], undefined]);
    const subject = new Subject<number>();
    const sum = client.invoke("sum", subject);
    for (const item of [1, 2, 3]) subject.next(item);
    subject.complete();
    assertEquals(await sum, 60);
  },
).forEach((test) => Deno.test(test));

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

async function* tenfold(items: AsyncIterable<unknown>) {
  for await (const item of items) yield 10 * Number(item);
}

async function* twice(items: AsyncIterable<unknown>) {
  for await (const item of items) yield* [item, item];
}

onEachServer(
  "createHubServer() runs its filters for every hub, and the client reads a HubError of theirs",
  async (serve) => {
    const seen = new Events<string>();
    const methods = { hello: (_context: Context) => "hello" };
    await using node = await serve({
      hubs: { "/one": defineHub({ methods }), "/two": defineHub({ name: "second", methods }) },
      filters: [{
        invoke({ hub }, next) {
          seen.add(hub);
          if (hub === "second") throw new HubError("closed today");
          return next();
        },
      }],
    });
    await using one = await SignalRClient.connect(node.url("/one"));
    await using two = await SignalRClient.connect(node.url("/two"));
    assertEquals(await one.invoke("hello"), "hello");
    const error = await assertRejects(() => two.invoke("hello"), Error);
    assertMatch(error.message, /on the server\. HubException: closed today$/);
    assertEquals(seen.all, ["one", "second"]);
  },
).forEach((test) => Deno.test(test));
