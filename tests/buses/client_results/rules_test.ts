/**
 * Without a server: clients are pipes in memory, which can lie as no official client does.
 * `answers_test.ts` asks on every server.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { defineHub, type HubContext, type HubServerOptions } from "../../../mod.ts";
import { bounded, Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { type MemoryPipe, settle } from "../../kit/pipe.ts";
import { type AskedClient, outcome } from "./asking.ts";
import { call } from "../../kit/messages.ts";

type Context = HubContext<AskedClient>;

interface Question {
  readonly type: number;
  readonly invocationId: string;
  readonly target: string;
  readonly arguments: readonly unknown[];
}

/** Asks client `id` from outside a hub method. */
function ask(core: HubCore, id: string, value: unknown): Promise<unknown> {
  const clients = core.live.clients as unknown as Context["clients"];
  return clients.client(id).invoke("answer", value);
}

/** The next question that a client is asked. */
async function question(pipe: MemoryPipe): Promise<Question> {
  const record = await pipe.next() as Question;
  assertEquals([record.type, record.target], [1, "answer"]);
  return record;
}

const plainHub = defineHub({
  methods: {
    echo: (_context: Context, value: unknown) => value,
    askMe: ({ clients }: Context, value: unknown) => clients.caller.invoke("answer", value),
    askTwice: async ({ clients }: Context) => [
      await clients.caller.invoke("answer", 1),
      await clients.caller.with({ timeout: 1000 }).invoke("answer", 2),
    ],
    async *askEach({ clients }: Context, count: number) {
      for (let n = 0; n < count; n++) yield clients.caller.invoke("answer", n);
    },
  },
});

/** Two nodes on one bus, each with clients of its own. */
function pair(options: HubServerOptions = {}): [HubCore, HubCore] {
  const bus = new MemoryBus();
  const [one, two] = ["one", "two"].map((name) =>
    new HubCore(plainHub, options, new MemoryBackplane(bus), name)
  );
  assert(one !== undefined && two !== undefined);
  return [one, two];
}

Deno.test("a method that asks a client gives its slot back, so that the answer can be read", async () => {
  await using core = new HubCore(plainHub, { maximumParallelInvocationsPerClient: 1 });
  const { pipe } = await core.connect();
  pipe.send(call("1", "askMe", "a"), call("2", "askMe", "b"), call("3", "echo", "meanwhile"));
  const [first, second] = [await question(pipe), await question(pipe)];
  assertEquals(await pipe.next(), { type: 3, invocationId: "3", result: "meanwhile" });
  pipe.send({ type: 3, invocationId: second.invocationId, result: "B" });
  assertEquals(await pipe.next(), { type: 3, invocationId: "2", result: "B" });
  pipe.send({ type: 3, invocationId: first.invocationId, result: "A" });
  assertEquals(await pipe.next(), { type: 3, invocationId: "1", result: "A" });
});

Deno.test("a method may ask its client several times, and stream what it hears", async () => {
  await using core = new HubCore(plainHub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "askTwice"));
  for (const result of ["x", "y"]) {
    pipe.send({ type: 3, invocationId: (await question(pipe)).invocationId, result });
  }
  assertEquals(await pipe.next(), { type: 3, invocationId: "1", result: ["x", "y"] });
  pipe.send({ ...call("2", "askEach", 2), type: 4 });
  for (const result of ["x", "y"]) {
    pipe.send({ type: 3, invocationId: (await question(pipe)).invocationId, result });
    assertEquals(await pipe.next(), { type: 2, invocationId: "2", item: result });
  }
});

Deno.test("invoke() within connected and disconnected is refused, whomever it asks", async () => {
  const refusals = new Events<unknown>();
  const refused = async ({ clients }: Context) => {
    refusals.add(await outcome(clients.caller.invoke("answer", 1)));
    refusals.add(await outcome(clients.client("another").with({}).invoke("answer", 1)));
  };
  const hub = defineHub({ methods: {}, connected: refused, disconnected: refused });
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.vanish();
  await connection.finished;
  const texts = ["connected", "disconnected"].map((hook) =>
    `Error: Client results inside ${hook} Hub methods are not allowed.`
  );
  assertEquals(refusals.all, [texts[0], texts[0], texts[1], texts[1]]);
});

Deno.test("invoke() of a client whose disconnected still runs rejects at once, from every node", async () => {
  const leaving = Promise.withResolvers<void>();
  const hub = defineHub({ methods: {}, disconnected: () => leaving.promise });
  const bus = new MemoryBus();
  await using one = new HubCore(hub, {}, new MemoryBackplane(bus), "one");
  await using two = new HubCore(hub, {}, new MemoryBackplane(bus), "two");
  await Promise.all([one.live.start(), two.live.start()]);
  const { pipe, connection } = await one.connect();
  pipe.vanish();
  const text = `ClientConnectionError: Connection '${connection.id}' disconnected.`;
  assertEquals(await bounded(outcome(ask(one, connection.id, 1))), text);
  assertEquals(await bounded(outcome(ask(two, connection.id, 1))), text);
  leaving.resolve();
  await connection.finished;
});

Deno.test("a client that answers for another is closed, and the other may still answer", async () => {
  const [one, two] = pair({ detailedErrors: true });
  await using _one = one;
  await using _two = two;
  await Promise.all([one.live.start(), two.live.start()]);
  for (const asking of [one, two]) {
    const asked = await one.connect();
    const { id } = asked.connection;
    // Beside the asked client; where its node waits for the answer on the other's behalf, too.
    for (const beside of new Set([one, asking])) {
      const result = ask(asking, id, "whose?");
      const { invocationId } = await question(asked.pipe);
      const liar = await beside.connect();
      liar.pipe.send({ type: 3, invocationId, result: "mine" });
      assertEquals(await liar.pipe.next(), {
        type: 7,
        error: "Connection closed with an error. InvalidOperationException: Connection ID " +
          `'${liar.connection.id}' is not valid for invocation ID '${invocationId}'.`,
        allowReconnect: true,
      });
      asked.pipe.send({ type: 3, invocationId, result: "mine" });
      assertEquals(await result, "mine");
    }
  }
});

Deno.test("invoke() gives every question an id of its own, on all nodes", async () => {
  const [one, two] = pair();
  await using _one = one;
  await using _two = two;
  await Promise.all([one.live.start(), two.live.start()]);
  const { pipe, connection } = await one.connect();
  const numbers = [...Array(100).keys()];
  const results = numbers.map((n) => ask(n % 2 === 0 ? one : two, connection.id, n));
  const ids = new Set<string>();
  for (const _ of numbers) {
    const { invocationId, arguments: [value] } = await question(pipe);
    ids.add(invocationId);
    pipe.send({ type: 3, invocationId, result: Number(value) * 2 });
  }
  assertEquals(ids.size, 100);
  assertEquals(await Promise.all(results), numbers.map((n) => n * 2));
});

Deno.test("answers that nobody waits for do no harm", async () => {
  await using core = new HubCore(plainHub);
  const { pipe, connection } = await core.connect();
  const result = ask(core, connection.id, 1);
  const { invocationId } = await question(pipe);
  pipe.send({ type: 3, invocationId, result: 1 }, { type: 3, invocationId, result: 2 });
  pipe.send({ type: 3, invocationId: "unknown", error: "x" }, {
    type: 3,
    invocationId: "__proto__",
  });
  assertEquals(await result, 1);
  pipe.send(call("1", "echo", "alive"));
  assertEquals(await pipe.next(), { type: 3, invocationId: "1", result: "alive" });
});

Deno.test("an answer without a result and without an error is an error", async () => {
  await using core = new HubCore(plainHub);
  const { pipe, connection } = await core.connect();
  for (
    const [answer, expected] of [
      [{}, "HubError: The client completed without a result."],
      [{ error: "" }, "HubError: "],
      [{ result: null }, { value: null }],
    ] as const
  ) {
    const result = outcome(ask(core, connection.id, 1));
    const { invocationId } = await question(pipe);
    pipe.send({ type: 3, invocationId, ...answer });
    assertEquals(await result, expected);
  }
});

Deno.test("an upload takes an answer with its id before a question does", async () => {
  const hub = defineHub({
    methods: {
      async read(_context: Context, items: AsyncIterable<unknown>) {
        const all: unknown[] = [];
        for await (const item of items) all.push(item);
        return all;
      },
    },
  });
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  const result = ask(core, connection.id, 1);
  const { invocationId } = await question(pipe);
  pipe.send({ ...call("1", "read"), streamIds: [invocationId] });
  pipe.send({ type: 2, invocationId, item: "x" }, { type: 3, invocationId });
  assertEquals(await pipe.next(), { type: 3, invocationId: "1", result: ["x"] });
  pipe.send({ type: 3, invocationId, result: "answer" });
  assertEquals(await result, "answer");
});

Deno.test("invoke() rejects with what is wrong with the question, and asks nobody", async () => {
  await using core = new HubCore(plainHub);
  const { pipe, connection } = await core.connect();
  const client = (core.live.clients as unknown as Context["clients"]).client(connection.id);
  const cases: readonly (readonly [Promise<unknown>, string])[] = [
    [client.invoke("answer", NaN), "TypeError: Cannot serialise arguments[0]: it is NaN"],
    [client.invoke("" as "answer", 1), 'TypeError: Cannot send to client method: "" is not a name'],
    ...[0, -1, 1.5, NaN, Infinity, 2 ** 31].map((timeout) =>
      [
        client.with({ timeout }).invoke("answer", 1),
        `RangeError: Cannot use timeout: ${timeout} is not an integer between 1 and 2147483647`,
      ] as const
    ),
  ];
  for (const [result, text] of cases) assertEquals(await outcome(result), text);
  await settle();
  assertEquals(pipe.records.length, 1);
});

Deno.test("invoke() whose promise is ignored never becomes an unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", listener);
  try {
    await using core = new HubCore(plainHub);
    const { pipe, connection } = await core.connect();
    ask(core, "nobody", 1);
    ask(core, connection.id, NaN);
    ask(core, connection.id, 1);
    const { invocationId } = await question(pipe);
    pipe.send({ type: 3, invocationId, error: "no" });
    ask(core, connection.id, 2);
    pipe.vanish();
    await connection.finished;
    await settle();
  } finally {
    globalThis.removeEventListener("unhandledrejection", listener);
  }
  assertEquals(unhandled, []);
});
