import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { MemoryBus } from "../../../backplanes/memory.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { call, result } from "../../kit/messages.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

type Context = HubContext<{ got(value: unknown): void }>;

/** A hub whose `run` calls end when the test says so. */
function runningHub() {
  const running = new Map<string, PromiseWithResolvers<unknown>>();
  const started = new Events<string>();
  const hub = defineHub({
    methods: {
      run(_context: Context, name: string) {
        const call = Promise.withResolvers<unknown>();
        running.set(name, call);
        started.add(name);
        return call.promise;
      },
      echo(_context: Context, value: string) {
        started.add(value);
        return value;
      },
    },
  });
  return { hub, started, end: (name: string) => running.get(name)?.resolve(name) };
}

Deno.test("Invocations run one at a time by default, in the order they came", async () => {
  const { hub, started, end } = runningHub();
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "run", "a"), call("2", "run", "b"), call("3", "echo", "c"));
  await settle();
  assertEquals(started.all, ["a"]);
  end("a");
  assertEquals(await pipe.next(), result("1", "a"));
  await settle();
  assertEquals(started.all, ["a", "b"]);
  end("b");
  assertEquals([await pipe.next(), await pipe.next()], [result("2", "b"), result("3", "c")]);
});

Deno.test("Invocations run maximumParallelInvocationsPerClient at a time, and may end out of order", async () => {
  const { hub, started, end } = runningHub();
  await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: 3 });
  const { pipe } = await core.connect();
  for (const name of ["a", "b", "c", "d", "e"]) pipe.send(call(name, "run", name));
  await settle();
  assertEquals(started.all, ["a", "b", "c"]);
  end("b");
  assertEquals(await pipe.next(), result("b", "b"));
  await settle();
  assertEquals(started.all, ["a", "b", "c", "d"]);
  end("d");
  end("a");
  assertEquals([await pipe.next(), await pipe.next()], [result("d", "d"), result("a", "a")]);
  await settle();
  assertEquals(started.all, ["a", "b", "c", "d", "e"]);
});

Deno.test("Invocations of one client do not hold up another's", async () => {
  const { hub, started, end } = runningHub();
  await using core = new HubCore(hub);
  const [one, two] = [await core.connect(), await core.connect()];
  one.pipe.send(call("1", "run", "a"), call("2", "echo", "held up"));
  two.pipe.send(call("1", "echo", "free"));
  assertEquals(await two.pipe.next(), result("1", "free"));
  assertEquals(started.all, ["a", "free"]);
  end("a");
});

Deno.test("Invocations without an id are run and never answered", async () => {
  const seen: unknown[] = [];
  const hub = defineHub({
    methods: {
      note: (_context: Context, value: unknown) => void seen.push(value),
      async fail(_context: Context) {
        await Promise.resolve();
        throw new Error("unheard");
      },
    },
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(
    call(undefined, "note", 1),
    call("", "note", 2),
    call(undefined, "fail"),
    call(undefined, "nosuch"),
    call(undefined, "note", 1, 2),
    call("7", "note", 3),
  );
  assertEquals(await pipe.next(), result("7", null));
  await settle();
  assertEquals(pipe.records.length, 2);
  assertEquals(seen, [1, 2, 3]);
});

Deno.test("a call's signal is aborted when the client cancels it, and no other's", async () => {
  const aborted = new Events<string>();
  const hub = defineHub({
    methods: {
      async watch({ signal }: Context, name: string) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted.add(name);
        return name;
      },
    },
  });
  await using core = new HubCore(hub, { maximumParallelInvocationsPerClient: 5 });
  const { pipe } = await core.connect();
  const other = await core.connect();
  pipe.send(call("1", "watch", "a"), call("2", "watch", "b"));
  other.pipe.send(call("1", "watch", "other's"));
  await settle();
  pipe.send({ type: 5, invocationId: "nosuch" }, { type: 5, invocationId: "1" });
  // Its completion is still sent.
  assertEquals(await pipe.next(), result("1", "a"));
  assertEquals(aborted.all, ["a"]);
  pipe.vanish();
  await settle();
  assertEquals(aborted.all, ["a", "b"]);
  other.pipe.vanish();
  await settle();
  assertEquals(aborted.all, ["a", "b", "other's"]);
});

Deno.test("a call's signal is aborted already when the call asks for it after the end", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen = new Events<boolean>();
  const hub = defineHub({
    methods: {
      async late(context: Context) {
        await promise;
        seen.add(context.signal.aborted);
      },
    },
  });
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.send(call("1", "late"));
  pipe.vanish();
  await connection.finished;
  resolve();
  assertEquals(await seen.next(), true);
  assertEquals(pipe.records.length, 1);
});

Deno.test("a call that waits for its slot is not begun after the connection's end", async () => {
  const { hub, started, end } = runningHub();
  await using core = new HubCore(hub);
  const { pipe, connection } = await core.connect();
  pipe.send(call("1", "run", "a"), call("2", "echo", "b"));
  pipe.send({ type: 5, invocationId: "1" });
  connection.close({});
  await connection.finished;
  end("a");
  await settle();
  assertEquals(started.all, ["a"]);
});

Deno.test("clients can call what methods lists, in any case, and nothing else", async () => {
  const hub = defineHub({
    name: "guarded",
    methods: { Greet: () => "hello" },
    connected() {},
    disconnected() {},
  });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  for (const name of ["Greet", "greet", "GREET"]) {
    pipe.send(call(name, name));
    assertEquals(await pipe.next(), result(name, "hello"));
  }
  for (
    const name of [
      ...["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty"],
      ...["connected", "disconnected", "name", "methods", "call", "apply", "then", "", " greet"],
    ]
  ) {
    pipe.send(call("x", name));
    assertEquals(await pipe.next(), {
      type: 3,
      invocationId: "x",
      error: `Failed to invoke '${name}' due to an error on the server. ` +
        "HubException: Method does not exist.",
    });
  }
});

Deno.test("a method can take its context apart, and sees what belongs to its connection", async () => {
  const hub = defineHub({
    methods: {
      async everything(context: Context) {
        const { connectionId, user, request, items, signal, clients, groups, abort } = context;
        items.set("calls", Number(items.get("calls") ?? 0) + 1);
        await groups.add(connectionId, "g");
        await clients.groupExcept("g", []).send("got", [
          connectionId,
          user?.id ?? null,
          request.url,
          items.get("calls"),
          signal.aborted,
        ]);
        if (items.get("calls") === 2) abort();
      },
    },
  });
  await using core = new HubCore(hub);
  const ann = await core.connect({ id: "ann" });
  const got = (...values: unknown[]) => ({ type: 1, target: "got", arguments: [values] });
  ann.pipe.send(call("1", "everything"), call("2", "everything"));
  const url = "http://localhost/hub";
  assertEquals(await ann.pipe.next(), got(ann.connection.id, "ann", url, 1, false));
  assertEquals(await ann.pipe.next(), result("1", null));
  assertEquals(await ann.pipe.next(), got(ann.connection.id, "ann", url, 2, false));
  assertEquals(await ann.pipe.next(), { type: 7 });
  const anonymous = await core.connect();
  anonymous.pipe.send(call("1", "everything"));
  assertEquals(await anonymous.pipe.next(), got(anonymous.connection.id, null, url, 1, false));
});

Deno.test("methods named like an object's own are callable when they are listed", async () => {
  const hub = defineHub({ methods: { constructor: () => "mine", toString: () => "mine too" } });
  await using core = new HubCore(hub);
  const { pipe } = await core.connect();
  pipe.send(call("1", "constructor"), call("2", "TOSTRING"));
  assertEquals([await pipe.next(), await pipe.next()], [
    result("1", "mine"),
    result("2", "mine too"),
  ]);
});

Deno.test("a send or a change of groups that nobody awaits never becomes an unhandled rejection", async () => {
  const bus = new MemoryBus();
  const hub = defineHub({
    methods: {
      careless({ clients, groups, connectionId }: Context) {
        clients.all.send("got", NaN);
        clients.caller.send("got", Symbol("x"));
        clients.group("").send("got", 1);
        clients.group("g").send("got", 1);
        clients.user("u").send("got", 1);
        clients.client("elsewhere").send("got", 1);
        clients.all.send("got", "here all the same");
        groups.add(connectionId, "");
        groups.add(connectionId, "g");
        groups.remove("elsewhere", "g");
        return "done";
      },
    },
  });
  const backplane = new RecordingBackplane(bus);
  await using core = new HubCore(hub, { subscribeTimeout: 1 }, backplane);
  const { pipe } = await core.connect();
  bus.stop();
  pipe.send(call("1", "careless"));
  assertEquals(await pipe.next(), {
    type: 1,
    target: "got",
    arguments: ["here all the same"],
  });
  assertEquals(await pipe.next(), result("1", "done"));
  assertEquals(backplane.wanted.has("hub:group:g"), true);
  core.pass(1);
  assertEquals(backplane.wanted.has("hub:group:g"), false);
  // The test runner fails on a rejection that nobody handles by the end of the turn.
  await settle();
});
