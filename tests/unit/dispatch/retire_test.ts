import { assert, assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { call } from "../../kit/messages.ts";

type Context = HubContext<{ ask(): string }>;

const hub = defineHub({
  methods: {
    ask: async ({ clients }: Context) => await clients.caller.invoke("ask"),
    async sum(_context: Context, numbers: AsyncIterable<number>) {
      let sum = 0;
      for await (const number of numbers) sum += number;
      return sum;
    },
    async *forever(_context: Context) {
      yield 1;
      await new Promise(() => {});
    },
    hold: ({ signal }: Context) =>
      new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
    echo: (_context: Context, value: string) => value,
  },
});

const LAST = { type: 7, allowReconnect: true };

Deno.test("a hub that drains still reads what a client answers to a call under way", async () => {
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.send(call("1", "ask"));
  const question = await pipe.next() as { invocationId: string };
  const retired = core.live.retire(connection);
  pipe.send({ type: 3, invocationId: question.invocationId, result: "yes" });
  assertEquals(await pipe.next(), { type: 3, invocationId: "1", result: "yes" });
  await retired;
  assertEquals(pipe.records.at(-1), LAST);
});

Deno.test("a hub that drains still reads an upload, a cancel and pings", async () => {
  await using core = new HubCore(hub, { clientTimeoutInterval: 2000 });
  const { pipe, connection } = await core.connect();
  pipe.send(
    { ...call("1", "sum"), streamIds: ["u"] },
    { ...call("2", "forever"), type: 4 },
    { type: 6 },
    { type: 2, invocationId: "u", item: 1 },
  );
  await settle();
  const retired = core.live.retire(connection);
  for (let second = 0; second < 5; second++) {
    core.pass(1000);
    pipe.send({ type: 6 });
    await settle();
  }
  assert(!connection.isClosed);
  pipe.send(
    { type: 2, invocationId: "u", item: 2 },
    { type: 3, invocationId: "u" },
    { type: 5, invocationId: "2" },
  );
  await retired;
  const completions = (pipe.records as { type: number; invocationId: string }[])
    .filter(({ type }) => type === 3)
    .sort((a, b) => a.invocationId.localeCompare(b.invocationId));
  assertEquals(
    completions,
    [
      { type: 3, invocationId: "1", result: 3 },
      { type: 3, invocationId: "2" },
    ] as typeof completions,
  );
  assertEquals(pipe.records.at(-1), LAST);
});

Deno.test("a hub that drains refuses further calls, also one that waits for its slot", async () => {
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.send(call("1", "hold"), call("2", "echo", "x"));
  await settle();
  const retired = core.live.retire(connection);
  pipe.send(call("3", "echo", "x"));
  await settle();
  const error =
    "Failed to invoke 'echo' due to an error on the server. HubException: The server is closing.";
  assertEquals(pipe.records.slice(-2), [
    { type: 3, invocationId: "2", error },
    { type: 3, invocationId: "3", error },
  ]);
  pipe.send({ type: 5, invocationId: "1" });
  await retired;
  assertEquals(pipe.records.slice(-2), [{ type: 3, invocationId: "1", result: null }, LAST]);
});
