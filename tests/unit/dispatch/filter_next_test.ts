import { assertEquals } from "@std/assert";
import { defineHub, type HubContext, type HubFilter } from "../../../mod.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { call } from "../../kit/messages.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

type Context = HubContext<{ told(text: string): void }>;

const passing: HubFilter = { invoke: (_context, next) => next() };
const waiting: HubFilter = { invoke: async (_context, next) => await next() };

const ROWS: readonly [name: string, filters: readonly HubFilter[], begun: readonly string[]][] = [
  ["no filter", [], ["one", "two"]],
  ["a filter that returns next()", [passing], ["one", "two"]],
  ["two filters that return next()", [passing, passing], ["one", "two"]],
  ["an async filter, whose promise is another one", [waiting], ["one"]],
];

for (const [name, filters, expected] of ROWS) {
  Deno.test(`a method that ends with a send: the next call begins, or not, with ${name}`, async () => {
    const begun: string[] = [];
    const hub = defineHub({
      filters,
      methods: {
        tell({ clients }: Context, text: string) {
          begun.push(text);
          return clients.others.send("told", text);
        },
      },
    });
    const backplane = new RecordingBackplane();
    // No message is accepted, and none is refused.
    backplane.beforeAccepted = () => new Promise(() => {});
    await using core = new HubCore(hub, {}, backplane);
    const { pipe } = await core.connect();
    pipe.send(call("1", "tell", "one"));
    pipe.send(call("2", "tell", "two"));
    await settle();
    assertEquals(begun, expected);
  });
}

const TEXT = "Cannot call next(): the filter has called it before";

Deno.test("next() of HubFilter.invoke() throws at the second call, and the method runs once", async () => {
  let runs = 0;
  const hub = defineHub({
    filters: [{
      async invoke(_context, next) {
        await next();
        return await next();
      },
    }],
    methods: { count: (_context: Context) => ++runs },
  });
  await using core = new HubCore(hub, { detailedErrors: true });
  const { pipe } = await core.connect();
  pipe.send(call("1", "count"));
  const error = `An unexpected error occurred invoking 'count' on the server. Error: ${TEXT}`;
  assertEquals(await pipe.next(), { type: 3, invocationId: "1", error });
  assertEquals(runs, 1);
});

Deno.test("next() of HubFilter.connected() and disconnected() throws at the second call", async () => {
  const log: string[] = [];
  const report = (error: unknown) => log.push(String(error));
  const hub = defineHub({
    filters: [{
      connected: (_context, next) => next().then(() => next()).catch(report),
      disconnected: (_context, _error, next) => next().then(() => next()).catch(report),
    }],
    methods: {},
    connected: () => log.push("connected"),
    disconnected: () => log.push("disconnected"),
  });
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.vanish();
  await connection.finished;
  assertEquals(log, ["connected", `Error: ${TEXT}`, "disconnected", `Error: ${TEXT}`]);
});
