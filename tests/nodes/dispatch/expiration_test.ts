import { assertEquals, assertNotEquals } from "@std/assert";
import { defineHub, type HubContext, type HubUser } from "../../../mod.ts";
import { bounded, Events } from "../../kit/wait.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { HubCore } from "../../kit/hub_core.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { call, result } from "../../kit/messages.ts";
import { PollingPeer } from "../../kit/polling.ts";

type Context = HubContext<{ got(value: unknown): void }>;

const RECONNECT = { type: 7, allowReconnect: true };
const OPTIONS = { closeOnAuthenticationExpiration: true };

/** A hub that says how its connections ended. */
function endingHub() {
  const ends = new Events<unknown>();
  const hub = defineHub({
    methods: { hello: (_context: Context) => "hello" },
    disconnected: ({ user }: Context, error) => ends.add([user?.id, error?.message]),
  });
  return { hub, ends };
}

/** A user whose authentication is good for so many milliseconds of a hub's clock. */
function ann(core: HubCore, milliseconds: number): HubUser {
  return { id: "ann", expires: new Date(core.clock.date() + milliseconds) };
}

Deno.test("closeOnAuthenticationExpiration closes a connection when its user expires, with leave to reconnect", async () => {
  const { hub, ends } = endingHub();
  await using core = new HubCore(hub, OPTIONS);
  const short = await core.connect(ann(core, 4500));
  const long = await core.connect({ ...ann(core, 9500), id: "bob" });
  const endless = await core.connect({ id: "cid" });
  const anonymous = await core.connect();
  core.pass(4000);
  short.pipe.send(call("1", "hello"));
  assertEquals(await short.pipe.next(), result("1", "hello"));
  core.pass(1000);
  assertEquals(await short.pipe.next(), RECONNECT);
  assertEquals(short.pipe.ends, [1000]);
  // For the hub it is an orderly end.
  assertEquals(await ends.next(), ["ann", undefined]);
  assertEquals(long.connection.isClosed, false);
  core.pass(5000);
  assertEquals(await long.pipe.next(), RECONNECT);
  core.pass(20_000);
  for (const { connection } of [endless, anonymous]) assertEquals(connection.isClosed, false);
});

Deno.test("closeOnAuthenticationExpiration is off by default", async () => {
  const { hub } = endingHub();
  await using core = new HubCore(hub);
  const { connection } = await core.connect(ann(core, -1000));
  core.pass(20_000);
  assertEquals(connection.isClosed, false);
});

Deno.test("closeOnAuthenticationExpiration ends connections that have not shaken hands, or are away", async () => {
  const { hub } = endingHub();
  await using core = new HubCore(hub, { ...OPTIONS, allowStatefulReconnects: true });
  const silent = core.admit(ann(core, 1000));
  const away = core.admit(ann(core, 1000), true);
  away.pipe.send({ protocol: "json", version: 2 });
  await away.pipe.next();
  away.pipe.cut();
  core.pass(2000);
  assertEquals(silent.pipe.writes, []);
  for (const { connection } of [silent, away]) {
    assertEquals([connection.isClosed, connection.isStateful], [true, false]);
    await bounded(connection.finished);
  }
});

Deno.test("LiveHub.renew() prolongs and shortens the stay of the same user alone", async () => {
  const { hub } = endingHub();
  await using core = new HubCore(hub, OPTIONS);
  const { pipe, connection } = await core.connect(ann(core, 5000));
  core.live.renew("nosuch", ann(core, 1));
  core.live.renew(connection.id, { ...ann(core, 1), id: "bob" });
  core.live.renew(connection.id, undefined);
  core.pass(3000);
  assertEquals(connection.isClosed, false);
  core.live.renew(connection.id, ann(core, 5000));
  core.pass(4000);
  assertEquals(connection.isClosed, false);
  core.live.renew(connection.id, { id: "ann" });
  core.pass(60_000);
  assertEquals(connection.isClosed, false);
  core.live.renew(connection.id, ann(core, 500));
  core.pass(1000);
  assertEquals(pipe.records.at(-1), RECONNECT);
});

/** Users from queries such as `?until=1767225600000`; a query is on every request of the client. */
function authenticate(request: Request): HubUser {
  const until = new URL(request.url).searchParams.get("until") ?? "x";
  return { id: "ann", expires: new Date(Number(until)) };
}

onEachServer("the official client reconnects when its user expires", async (serve) => {
  const { hub, ends } = endingHub();
  let lifetime = 2000;
  await using node = await serve({
    hubs: { "/hub": hub },
    ...OPTIONS,
    authenticate: () => ({ id: "ann", expires: new Date(Date.now() + lifetime) }),
  });
  const clients = await Promise.all(
    Object.values(TRANSPORTS).map((transport) =>
      SignalRClient.connect(node.url("/hub"), { transport, reconnectDelays: [0, 0] })
    ),
  );
  const ids = clients.map(({ id }) => id);
  lifetime = 60_000;
  for (const [index, client] of clients.entries()) {
    await using connected = client;
    assertEquals(await connected.events.next(), { kind: "reconnecting", error: undefined });
    assertEquals((await connected.events.next()).kind, "reconnected");
    assertNotEquals(connected.id, ids[index]);
    assertEquals(await connected.invoke("hello"), "hello");
  }
  assertEquals(await ends.take(3), Array(3).fill(["ann", undefined]));
}).forEach((test) => Deno.test(test));

onEachServer("a poll with a newer expiry prolongs the connection", async (serve) => {
  const { hub } = endingHub();
  let user: HubUser = { id: "ann", expires: new Date(Date.now() + 1500) };
  await using node = await serve({ hubs: { "/hub": hub }, ...OPTIONS, authenticate: () => user });
  const connection = await PollingPeer.connect(node.port);
  // This poll waits beyond the first expiry; the one that it brings ends it.
  const until = Date.now() + 3000;
  user = { id: "ann", expires: new Date(until) };
  const end = await bounded(connection.poll());
  assertEquals(end, { status: 200, text: `${JSON.stringify(RECONNECT)}\x1e` });
  assertEquals(Date.now() >= until, true);
  assertEquals((await connection.poll()).status, 204);
}).forEach((test) => Deno.test(test));

onEachServer(
  "a WebSocket that takes over with a newer expiry prolongs the connection",
  async (serve) => {
    const { hub } = endingHub();
    const early = Date.now() + 1500;
    let user: HubUser = { id: "ann", expires: new Date(early) };
    await using node = await serve({
      hubs: { "/hub": hub },
      ...OPTIONS,
      allowStatefulReconnects: true,
      authenticate: () => user,
    });
    const query = "negotiateVersion=1&useStatefulReconnect=true";
    const negotiated = await fetch(node.url(`/hub/negotiate?${query}`), { method: "POST" });
    const url = node.url(`/hub?id=${(await negotiated.json()).connectionToken}`);
    const first = await openSocket(url);
    first.socket.send('{"protocol":"json","version":2}\x1e');
    assertEquals(await first.said.next(), "{}\x1e");
    const until = Date.now() + 3000;
    user = { id: "ann", expires: new Date(until) };
    const second = await openSocket(url);
    assertEquals(await second.said.next(), '{"type":9,"sequenceId":1}\x1e');
    // Beyond the first expiry it is there, and the second ends it.
    assertEquals(await second.said.next(), `${JSON.stringify(RECONNECT)}\x1e`);
    assertEquals(Date.now() >= until, true);
    await Promise.all([first.ended, second.ended]);
  },
).forEach((test) => Deno.test(test));

/** A WebSocket with what it hears. */
async function openSocket(url: string) {
  const socket = new WebSocket(url);
  const said = new Events<string>();
  socket.onmessage = ({ data }) => said.add(data);
  const ended = new Promise<void>((resolve) => socket.onclose = () => resolve());
  await bounded(new Promise((resolve) => socket.onopen = resolve));
  return { socket, said, ended: bounded(ended) };
}

onEachServer("a user whose expires is no time is logged and answered with 500", async (serve) => {
  const { hub } = endingHub();
  await using node = await serve({ hubs: { "/hub": hub }, authenticate });
  const response = await fetch(node.url("/hub/negotiate?until=soon"), { method: "POST" });
  assertEquals([response.status, await response.text()], [500, ""]);
  const line = "error authenticate failed: TypeError: Cannot use user: expires is not a valid Date";
  assertEquals(node.log.lines, [`${line}: Invalid Date`]);
}).forEach((test) => Deno.test(test));
