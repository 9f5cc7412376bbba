import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { method } from "../../../hub/definition/method.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { type Account, ANN, unauthorized } from "../../kit/accounts.ts";
import { call, result } from "../../kit/messages.ts";

type Context = HubContext<Record<never, never>, Account>;

/** A hub whose policy answers when the test says so. */
function slowHub() {
  const asked = new Events<string>();
  const started = new Events<string>();
  const pending = new Map<string, PromiseWithResolvers<boolean>>();
  const ending = new Map<string, PromiseWithResolvers<void>>();
  const hub = defineHub({
    methods: {
      slow: method({
        authorize(_context: Context, name) {
          const verdict = Promise.withResolvers<boolean>();
          pending.set(String(name), verdict);
          asked.add(String(name));
          return verdict.promise;
        },
        async handler(_context: Context, name: string) {
          started.add(name);
          const end = Promise.withResolvers<void>();
          ending.set(name, end);
          await end.promise;
          return name;
        },
      }),
      fast: (_context: Context, name: string) => started.add(name),
    },
  });
  return {
    hub,
    asked,
    started,
    decide: (name: string, verdict: boolean) => pending.get(name)?.resolve(verdict),
    end: (name: string) => ending.get(name)?.resolve(),
  };
}

Deno.test("calls start in the order they came while authorize takes its time, and in their slots", async () => {
  const { hub, asked, started, decide, end } = slowHub();
  await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: 2 });
  const { pipe } = await core.connect(ANN);
  pipe.send(call("1", "slow", "a"), call("2", "slow", "b"), call("3", "fast", "c"));
  await settle();
  // The second is not asked for before the first has begun.
  assertEquals([asked.all, started.all], [["a"], []]);
  decide("a", true);
  await settle();
  assertEquals([asked.all, started.all], [["a", "b"], ["a"]]);
  decide("b", true);
  await settle();
  // Both slots are taken.
  assertEquals(started.all, ["a", "b"]);
  end("b");
  assertEquals(await pipe.next(), result("2", "b"));
  assertEquals(await pipe.next(), result("3", null));
  assertEquals(started.all, ["a", "b", "c"]);
  pipe.send(call("4", "slow", "d"), call("5", "fast", "e"));
  await settle();
  decide("d", false);
  // A refused call gives its slot back.
  assertEquals(await pipe.next(), unauthorized("4", "slow"));
  assertEquals(await pipe.next(), result("5", null));
  end("a");
  assertEquals(await pipe.next(), result("1", "a"));
});

Deno.test("a call is not begun when its connection ends while authorize takes its time", async () => {
  const { hub, asked, started, decide } = slowHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect(ANN);
  pipe.send(call("1", "slow", "a"), call("2", "fast", "b"));
  await settle();
  connection.close({});
  await connection.finished;
  decide("a", true);
  await settle();
  assertEquals([asked.all, started.all], [["a"], []]);
});

Deno.test("LiveHub.retire() waits for a call that authorize has not decided yet", async () => {
  const { hub, asked, started, decide, end } = slowHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect(ANN);
  pipe.send(call("1", "slow", "a"));
  await asked.next();
  const retired = core.live.retire(connection);
  await settle();
  assertEquals(connection.isClosed, false);
  decide("a", true);
  await started.next();
  end("a");
  assertEquals(await pipe.next(), result("1", "a"));
  await retired;
  assertEquals(await pipe.next(), { type: 7, allowReconnect: true });
});

Deno.test("authorize gets the signal of its connection", async () => {
  const aborted = new Events<boolean>();
  const hub = defineHub({
    methods: {
      run: method({
        async authorize({ signal }: Context) {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          aborted.add(signal.aborted);
          return true;
        },
        handler: (_context: Context) => 1,
      }),
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect(ANN);
  pipe.send(call("1", "run"));
  await settle();
  pipe.vanish();
  assertEquals(await aborted.next(), true);
});
