import { assertEquals } from "@std/assert";
import {
  createHubServer,
  defineHub,
  type HubContext,
  HubError,
  MemoryBackplane,
} from "../../../mod.ts";
import { method } from "../../../hub/definition/method.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { identify } from "../../../hub/serving/authentication.ts";
import { KeptLog } from "../../kit/log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { call, streamCall } from "../../kit/messages.ts";
import { settle } from "../../kit/pipe.ts";

type Context = HubContext<Record<never, never>>;

const hub = defineHub({
  methods: {
    echo: (_context: Context, value: unknown) => value,
    shout: (_context: Context, text: string) => text.toUpperCase(),
    locked: method({ authorize: () => false, handler: (_context: Context) => 1 }),
    open: method({
      authorize(_context: Context, value) {
        throw new TypeError(`no ${value}`);
      },
      handler: (_context: Context, value: unknown) => value,
    }),
    hold: (_context: Context) => ReadableStream.from([1]),
    async *wait({ signal }: Context) {
      yield await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  },
});

const FAILED = (target: string) => `Failed to invoke '${target}' due to an error on the server.`;

Deno.test("calls that are refused are logged, a kind once a minute", async () => {
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  for (let n = 0; n < 100; n++) {
    pipe.send(call("1", `unknown${n}`), call("2", "echo"), call("3", "ECHO", 1, 2));
    pipe.send(call("4", "hold"), streamCall("5", "echo", 1));
  }
  await settle();
  const text = "info A call of connection c1 is refused:";
  assertEquals(core.log.lines, [
    `${text} ${FAILED("unknown0")} HubException: Method does not exist.`,
    `${text} ${
      FAILED("echo")
    } InvalidDataException: Invocation provides 0 argument(s) but target expects 1.`,
  ]);
});

Deno.test("the entry about further refusals names no client", async () => {
  await using core = new HubCore(hub);
  for (let n = 0; n < 3; n++) {
    const { pipe } = await core.connect();
    pipe.send(call("1", "unknown"), call("2", "echo"));
    await settle();
  }
  core.clock.advance(60_000);
  core.limitedLog.sweep();
  assertEquals(core.log.lines.slice(2), [
    "info Calls of unknown methods are refused (2 times more in a minute)",
    'info Calls of hub method "echo" are refused (2 times more in a minute)',
  ]);
});

Deno.test("a refused name is logged in part", async () => {
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "x".repeat(10_000)));
  await settle();
  assertEquals(core.log.lines.length, 1);
  assertEquals((core.log.lines[0] ?? "").length < 400, true);
});

Deno.test("a call over maximumBackgroundInvocationsPerClient is a warning", async () => {
  await using core = new HubCore(hub, { maximumBackgroundInvocationsPerClient: 1 });
  const { pipe } = await core.connect();
  pipe.send(streamCall("1", "wait"), streamCall("2", "wait"), streamCall("3", "wait"));
  await settle();
  assertEquals(core.log.lines, [
    `warn A call of connection c1 is refused: ${
      FAILED("wait")
    } HubException: More than 1 invocations are under way.`,
  ]);
});

Deno.test("a call that a policy refuses is a detail", async () => {
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "locked"), call("2", "locked"));
  await settle();
  assertEquals(core.log.lines, []);
  assertEquals(core.log.details.slice(-1), [
    "A call of connection c1 is refused: Failed to invoke 'locked' because user is unauthorized",
  ]);
});

Deno.test("a method that fails for a wrong argument is logged once a minute, whatever its error says", async () => {
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  for (let n = 0; n < 100; n++) pipe.send(call("1", "shout", n), call("2", "open", n));
  await settle();
  assertEquals(core.log.lines, [
    'error Hub method "shout" failed: TypeError: text.toUpperCase is not a function',
    'error authorize of hub method "open" failed: TypeError: no 0',
  ]);
});

Deno.test("authenticate that throws is logged once a minute", async () => {
  const log = new KeptLog();
  const clock = new ManualClock();
  const limitedLog = new LimitedLog(log, clock);
  const parts = { limitedLog, options: { maximumNameBytes: 256 } };
  const request = new Request("http://localhost/hub");
  for (let n = 0; n < 100; n++) {
    const refused = await identify(request, () => Promise.reject(new Error(`${n}`)), parts);
    assertEquals(refused instanceof Response && refused.status, 500);
  }
  assertEquals(log.lines, ["error authenticate failed: Error: 0"]);
  clock.advance(60_000);
  limitedLog.sweep();
  assertEquals(log.lines.slice(1), ["error authenticate failed: (99 times more in a minute)"]);
});

Deno.test("clients that connect, and that connected refuses, are details", async () => {
  const refusing = defineHub({
    methods: {},
    connected() {
      throw new HubError("not you");
    },
  });
  await using core = new HubCore(refusing);
  for (let n = 0; n < 10; n++) await core.connect();
  await settle();
  assertEquals(core.log.lines, []);
  assertEquals(core.log.details, [
    "A client has connected: c1",
    "A client is refused by connected: HubError: not you",
    "The connection of a client has ended: not you c1",
  ]);
});

Deno.test("requests that are refused are details, without their query", async () => {
  const log = new KeptLog();
  await using server = createHubServer({
    hubs: { "/hub": hub },
    backplane: new MemoryBackplane(),
    logger: log,
    authenticate: () => new Response(null, { status: 401 }),
  });
  for (let n = 0; n < 10; n++) {
    const url = `http://localhost/hub/negotiate?access_token=secret${n}`;
    assertEquals((await server.fetch(new Request(url, { method: "POST" }))).status, 401);
  }
  assertEquals(log.lines, []);
  assertEquals(log.details, ["A request to /hub/negotiate is refused: 401"]);
});
