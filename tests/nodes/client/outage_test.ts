import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  BackplaneUnavailableError,
  defineHub,
  type HubContext,
  MemoryBackplane,
  MemoryBus,
} from "../../../mod.ts";
import { onEachServer, type Serve } from "../../kit/servers/each_server.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded } from "../../kit/wait.ts";

type Context = HubContext<{ got(value: unknown): void }>;

function makeHub() {
  return defineHub({
    methods: {
      echo: (_context: Context, value: unknown) => value,
      async join({ groups, connectionId }: Context) {
        await groups.add(connectionId, "g");
      },
      async tellAll({ clients }: Context, value: unknown) {
        await clients.all.send("got", value);
      },
      async tellCaller({ clients }: Context, value: unknown) {
        await clients.caller.send("got", value);
      },
    },
  });
}

/** Two nodes on one bus that can be stopped. */
async function startNodes(serve: Serve, bus: MemoryBus) {
  const stack = new AsyncDisposableStack();
  const make = async () =>
    stack.use(
      await serve({
        hubs: { "/hub": makeHub() },
        backplane: new MemoryBackplane(bus),
        subscribeTimeout: 1,
        authenticate: () => ({ id: "ann" }),
        detailedErrors: true,
      }),
    );
  const [one, two] = [await make(), await make()];
  return { one, two, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

onEachServer(
  "a client that connects while the backplane is away is admitted, and reached when it is back",
  async (serve) => {
    const bus = new MemoryBus();
    bus.stop();
    await using nodes = await startNodes(serve, bus);
    const { one, two } = nodes;
    await using client = await SignalRClient.connect(one.url("/hub"));
    await using other = await SignalRClient.connect(two.url("/hub"));
    assertEquals(await client.invoke("echo", 1), 1);
    // What needs no other node works.
    await client.invoke("tellCaller", "here");
    assertEquals(await client.got.next(), ["here"]);
    bus.start();
    await bounded(Promise.all([one.server.ready, two.server.ready]));
    await other.invoke("tellAll", "everyone");
    assertEquals(await client.got.next(), ["everyone"]);
    // Its own channel and its user's are subscribed too by now.
    const { clients } = two.server.hub("/hub");
    await clients.client(client.id).send("got", "by id");
    assertEquals(await client.got.next(), ["by id"]);
    await clients.user("ann").send("got", "by user");
    assertEquals(await client.got.next(), ["by user"]);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "while the backplane is away local clients are served, and the caller is told of the rest",
  async (serve) => {
    const bus = new MemoryBus();
    await using nodes = await startNodes(serve, bus);
    const { one, two } = nodes;
    await bounded(Promise.all([one.server.ready, two.server.ready]));
    await using client = await SignalRClient.connect(one.url("/hub"));
    await using near = await SignalRClient.connect(one.url("/hub"));
    await using far = await SignalRClient.connect(two.url("/hub"));
    bus.stop();
    const told = await assertRejects(() => client.invoke("tellAll", "during"), Error);
    assertMatch(told.message, /BackplaneUnavailableError: /);
    assertEquals(await near.got.next(), ["during"]);
    const { clients } = one.server.hub("/hub");
    const error = await assertRejects(
      () => clients.all.send("got", "outside"),
      BackplaneUnavailableError,
    );
    assertEquals(error.deliveredLocally, true);
    assertEquals(await near.got.next(), ["outside"]);
    // A group needs the bus to join; the connection is no member, and stays.
    const refused = await assertRejects(() => client.invoke("join"), Error);
    assertMatch(refused.message, /BackplaneUnavailableError: /);
    bus.start();
    await bounded(client.invoke("join"));
    await clients.group("g").send("got", "member");
    await clients.all.send("got", "after");
    assertEquals(await client.got.take(4), [["during"], ["outside"], ["member"], ["after"]]);
    assertEquals(await near.got.next(), ["after"]);
    // Nothing is replayed, and nothing after the outage is missing.
    assertEquals(await far.got.next(), ["after"]);
  },
).forEach((test) => Deno.test(test));
