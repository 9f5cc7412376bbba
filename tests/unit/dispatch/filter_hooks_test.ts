import { assertEquals, assertThrows } from "@std/assert";
import {
  createHubServer,
  defineHub,
  type HubContext,
  HubError,
  type HubFilter,
  type HubUser,
  MemoryBackplane,
} from "../../../mod.ts";
import { Events } from "../../kit/wait.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { call, result } from "../../kit/messages.ts";

type Context = HubContext<Record<never, never>>;

Deno.test("HubFilter.connected() can refuse, and leave out the hub's", async () => {
  const log: string[] = [];
  const hub = defineHub({
    methods: { hello: () => "hello" },
    filters: [{
      connected({ user }: HubContext<never, HubUser>, next) {
        if (user === undefined) throw new HubError("Sign in first");
        return user.id === "quiet" ? undefined : next();
      },
    }],
    connected: ({ user }: Context) => log.push(`connected ${user?.id}`),
    disconnected: ({ user }: Context) => log.push(`disconnected ${user?.id}`),
  });
  await using core = new HubCore(hub);
  const stranger = await core.connect();
  assertEquals(await stranger.pipe.next(), {
    type: 7,
    error: "Connection closed with an error. HubException: Sign in first",
  });
  const quiet = await core.connect({ id: "quiet" });
  quiet.pipe.send(call("1", "hello"));
  assertEquals(await quiet.pipe.next(), result("1", "hello"));
  const ann = await core.connect({ id: "ann" });
  ann.pipe.vanish();
  await ann.connection.finished;
  await stranger.connection.finished;
  assertEquals(log, ["connected ann", "disconnected ann"]);
});

Deno.test("HubFilter.disconnected() can hand on another error, and one that throws is logged", async () => {
  const ends = new Events<string | undefined>();
  const hub = defineHub({
    methods: {},
    filters: [{
      async disconnected(_context, error, next) {
        await next(error === undefined ? new Error("just gone") : undefined);
        throw new Error("broken filter");
      },
    }],
    disconnected: (_context, error) => ends.add(error?.message),
  });
  await using core = new HubCore(hub);
  const [one, two] = [await core.connect(), await core.connect()];
  one.pipe.vanish();
  await one.connection.finished;
  two.pipe.send({ type: 7, error: "its own" });
  await two.connection.finished;
  assertEquals(ends.all, ["just gone", "its own"]);
  assertEquals(core.log.lines, ["error Hub's disconnected failed: Error: broken filter"]);
});

Deno.test("filters that are none are a TypeError", async () => {
  const backplane = new MemoryBackplane();
  const hub = defineHub({ methods: {} });
  const wrong: readonly (readonly [filters: unknown, text: string])[] = [
    [{}, "filters is not an array"],
    [[undefined], "a filter is not an object"],
    [[() => {}], "a filter is not an object"],
    [[{ invoke: 1 }], "a filter's invoke is not a function"],
    [[{}, { connected: "x" }], "a filter's connected is not a function"],
    [[{ resumed: {} }], "a filter's resumed is not a function"],
    [[{ disconnected: null }], "a filter's disconnected is not a function"],
  ];
  for (const [filters, text] of wrong) {
    const given = { filters: filters as HubFilter[] };
    assertThrows(() => defineHub({ methods: {}, ...given }), TypeError, `define hub: ${text}`);
    assertThrows(
      () => createHubServer({ hubs: { "/hub": hub }, backplane, ...given }),
      TypeError,
      `create hub server: ${text}`,
    );
  }
  await createHubServer({ hubs: { "/hub": hub }, backplane, filters: [{}] }).close();
});
