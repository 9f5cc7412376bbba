import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  createHubServer,
  defineHub,
  type HubAccess,
  type HubContext,
  HubError,
  type HubMethods,
  type HubPolicy,
  MemoryBackplane,
} from "../../../mod.ts";
import { method } from "../../../hub/definition/method.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { type Account, admin, ANN, BOB, unauthorized } from "../../kit/accounts.ts";
import { call, failure, result, streamCall } from "../../kit/messages.ts";

type Context = HubContext<{ ask(): number }, Account>;
type Access = HubAccess<Account>;

Deno.test("method() with authorize is called by those only whom it lets", async () => {
  const hub = defineHub({
    methods: {
      Close: method({ authorize: admin, handler: (_context: Context, what: string) => what }),
      open: (_context: Context) => "open",
    },
  });
  await using core = new HubCore(hub);
  for (const [user, answer] of [[ANN, result("1", "all")], [BOB, unauthorized("1", "close")]]) {
    const { pipe } = await core.connect(user as Account);
    pipe.send(call("1", "close", "all"), call("2", "open"));
    assertEquals([await pipe.next(), await pipe.next()], [answer, result("2", "open")]);
  }
  const { pipe } = await core.connect();
  pipe.send(call(undefined, "Close", "all"), call("1", "Close", "all"));
  assertEquals(await pipe.next(), unauthorized("1", "Close"));
});

Deno.test("authorize of server, hub and method must all say yes, and are asked in that order", async () => {
  const asked: string[] = [];
  /** Says no if the argument names it. */
  const policy = (name: string): HubPolicy => (context, method) => {
    asked.push(`${name} ${context.hub}.${method} ${(context.user as unknown as Account)?.id}`);
    return context.request.url === "http://localhost/hub" && !refusing.has(name);
  };
  const refusing = new Set<string>();
  const hub = defineHub({
    name: "guarded",
    methods: {
      Run: method({
        authorize({ user }: Context, value) {
          asked.push(`method ${user?.id} ${value}`);
          return !refusing.has("method");
        },
        handler: (_context: Context, value: number) => value,
      }),
    },
    authorize: policy("hub"),
  });
  await using core = new HubCore(hub, { authorize: policy("server") });
  const { pipe } = await core.connect(ANN);
  const questions = ["server hub.Run ann", "hub hub.Run ann", "method ann 5"];
  const order = ["server", "hub", "method"];
  pipe.send(call("1", "run", 5));
  assertEquals(await pipe.next(), result("1", 5));
  assertEquals(asked.splice(0), questions);
  for (const [index, name] of order.entries()) {
    refusing.add(name);
    pipe.send(call("2", "run", 5));
    assertEquals(await pipe.next(), unauthorized("2", "run"));
    assertEquals(asked.splice(0), questions.slice(0, index + 1));
    refusing.clear();
  }
});

Deno.test("authorize lets nobody by anything but true", async () => {
  const answers: readonly unknown[] = [
    ...[false, undefined, null, 0, 1, "true", {}, Promise.resolve(false), Promise.resolve(1)],
    new Response(null, { status: 200 }),
  ];
  const hub = defineHub({
    methods: {
      run: method({
        authorize: (_context: Context, index) => answers[Number(index)] as boolean,
        handler: (_context: Context, index: number) => index,
      }),
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect(ANN);
  for (const index of answers.keys()) {
    pipe.send(call("x", "run", index));
    assertEquals(await pipe.next(), unauthorized("x", "run"));
  }
});

Deno.test("authorize that throws or rejects is logged and refuses", async () => {
  const hub = defineHub({
    methods: {
      run: method({
        authorize(_context: Context, how) {
          if (how === "throw") throw new HubError("for the log alone");
          return Promise.reject(new Error("no database"));
        },
        handler: (_context: Context, how: string) => how,
      }),
    },
  });
  await using core = new HubCore(hub, { detailedErrors: true });
  const { pipe } = await core.connect(ANN);
  pipe.send(call("1", "run", "throw"), call("2", "run", "reject"));
  assertEquals([await pipe.next(), await pipe.next()], [
    unauthorized("1", "run"),
    unauthorized("2", "run"),
  ]);
  assertEquals(core.log.lines, [
    'error authorize of hub method "run" failed: HubError: for the log alone',
    'error authorize of hub method "run" failed: Error: no database',
  ]);
});

Deno.test("authorize is asked after binding and before streaming mode and streams", async () => {
  const asked: string[] = [];
  const hub = defineHub({
    methods: {
      one: (_context: Context, value: number) => value,
      async *count(_context: Context, to: number) {
        for (let n = 0; n < to; n++) yield n;
      },
    },
    authorize(_context: Access, method) {
      asked.push(`${method}`);
      return false;
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect(ANN);
  pipe.send(call("1", "nosuch"), call("2", "one"));
  const failed = (target: string) => `Failed to invoke '${target}' due to an error on the server.`;
  assertEquals([await pipe.next(), await pipe.next()], [
    failure("1", `${failed("nosuch")} HubException: Method does not exist.`),
    failure("2", failed("one")),
  ]);
  assertEquals(asked, []);
  // Each of these is wrong in its mode or its streams too.
  pipe.send(call("3", "count", 1), { ...call("4", "one", 1), streamIds: ["s"] });
  pipe.send({ ...streamCall("5", "count", 1), streamIds: ["s", "t"] });
  assertEquals([await pipe.next(), await pipe.next(), await pipe.next()], [
    unauthorized("3", "count"),
    unauthorized("4", "one"),
    unauthorized("5", "count"),
  ]);
  assertEquals(asked, ["count", "one", "count"]);
});

Deno.test("authorize cannot ask its client, who could not answer", async () => {
  const hub = defineHub({
    methods: {
      run: method({
        authorize: async ({ clients }: Context) => await clients.caller.invoke("ask") === 1,
        handler: (_context: Context) => 1,
      }),
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect(ANN);
  pipe.send(call("1", "run"));
  assertEquals(await pipe.next(), unauthorized("1", "run"));
  assertMatch(`${core.log.lines}`, /Client results inside authorize are not allowed/);
});

Deno.test("authorize that is no function is a TypeError", async () => {
  const authorize = true as unknown as HubPolicy;
  const text = "authorize is not a function";
  assertThrows(() => defineHub({ methods: {}, authorize }), TypeError, `define hub: ${text}`);
  const run = { authorize: true as unknown as () => boolean, handler: () => 1 };
  const methods = { run } as HubMethods;
  assertThrows(() => defineHub({ methods }), TypeError, `define hub: method "run": ${text}`);
  assertThrows(() => method(run), TypeError, `Cannot define method: ${text}`);
  const backplane = new MemoryBackplane();
  const hubs = { "/hub": defineHub({ methods: {} }) };
  assertThrows(
    () => createHubServer({ hubs, backplane, authorize }),
    TypeError,
    `create hub server: ${text}`,
  );
  await createHubServer({ hubs, backplane }).close();
});
