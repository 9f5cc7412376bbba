/**
 * Requests that another node relays, while the bus or the home goes away, and of other users.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { createHubServer, defineHub, type HubContext } from "../../../mod.ts";
import { Child } from "../../kit/child.ts";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { KeptLog } from "../../kit/log.ts";
import { PollingPeer } from "../../kit/polling.ts";
import { type Host, HOSTS } from "../../kit/servers/hosts.ts";
import { bounded, Events, randomPrefix, until } from "../../kit/wait.ts";
import { SERVED_BUSES, type ServedBus } from "../scaleout/buses.ts";
import { Node, Pair } from "../scaleout/nodes.ts";
import { pollingClient } from "./round_robin.ts";

const HOME = new URL("home.ts", import.meta.url).href;
const CALL = '{"type":1,"invocationId":"1","target":"echo","arguments":["hello"]}\x1e';
const RESULT = '{"type":3,"invocationId":"1","result":"hello"}\x1e';
const GONE = { status: 404, text: "No Connection with that ID" };

/** A connection of one node, as another one is asked for it. */
function through(peer: PollingPeer, { url }: Node): PollingPeer {
  return peer.at(Number(new URL(url).port));
}

async function open(name: string): Promise<ServedBus> {
  const bus = await SERVED_BUSES[name]?.();
  if (bus === undefined) throw new Error(`Cannot find bus: ${name}`);
  return bus;
}

async function startPair(bus: ServedBus): Promise<Pair> {
  const pair = await Pair.start(bus);
  const { one, two } = pair;
  await until(() => [one, two].every(({ server }) => server.nodes.length === 2));
  return pair;
}

for (const name of ["redis", "nats"]) {
  Deno.test(`requests get 404 when the home is killed, over ${name}`, async () => {
    await using bus = await open(name);
    const prefix = randomPrefix();
    const url = `${name}://127.0.0.1:${bus.server.port}?prefix=${encodeURIComponent(prefix)}`;
    await using node = await Node.start(await bus.open(prefix));
    await using home = Child.start("run", "--allow-all", "--no-check", "--quiet", HOME, url);
    const [, port] = await home.until(/port (\d+)/);
    await until(() => node.server.nodes.length === 2);
    const peer = await PollingPeer.connect(Number(port));
    const other = through(peer, node);
    assertEquals(await other.post('{"type":6}\x1e'), { status: 200, text: "" });
    const waiting = other.poll();
    await delay(200);
    await home.end("SIGKILL");
    const killed = performance.now();
    // One request waits at the home, and one comes before anybody knows.
    const answers = await Promise.all([waiting, other.post('{"type":6}\x1e')]);
    assertEquals(answers, [GONE, GONE]);
    assert(performance.now() - killed < 9000, "it took longer than relayTimeout");
    const late = performance.now();
    assertEquals([await other.poll(), await other.delete()], [GONE, GONE]);
    assert(performance.now() - late < 2000, "a connection that is nowhere is not remembered");
  });

  Deno.test(`requests are held while ${name} is away, and answered when it is back`, async () => {
    await using bus = await open(name);
    await using pair = await startPair(bus);
    const { one, two } = pair;
    const peer = await PollingPeer.connect(Number(new URL(one.url).port));
    const other = through(peer, two);
    const waiting = other.poll();
    await delay(200);
    await bus.server.stop();
    await until(() => [one, two].every(({ server }) => server.status !== "open"));
    const posted = other.post(CALL);
    await delay(1500);
    await bus.server.start();
    assertEquals((await posted).status, 200);
    const { status, text } = await waiting;
    assertEquals(status, 200);
    // A poll whose answer had begun may be empty.
    const answered = text === "" ? (await other.poll()).text : text;
    assertEquals(answered, RESULT);
    assertEquals((await other.delete()).status, 202);
  });

  Deno.test(`calls of a client that goes to nodes in turn outlive ${name}`, async () => {
    await using bus = await open(name);
    await using pair = await startPair(bus);
    const sockets = new ClientSockets();
    const client = pollingClient([pair.one.url, pair.two.url], sockets);
    const closed = new Events<unknown>();
    client.onclose(closed.add);
    await bounded(client.start());
    let stopped = false;
    const echoes: unknown[] = [];
    const calls = (async () => {
      for (let call = 0; !stopped; call++) {
        echoes.push(await bounded(client.invoke("echo", call), `the echo ${call}`));
      }
    })();
    for (let outage = 0; outage < 2; outage++) {
      await delay(300);
      await bus.server.stop();
      await delay(1000);
      await bus.server.start();
      await until(() => [pair.one, pair.two].every(({ server }) => server.status === "open"));
      const { length } = echoes;
      await until(() => echoes.length > length + 10);
    }
    stopped = true;
    await calls;
    assertEquals(echoes, echoes.map((_, index) => index));
    assertEquals(closed.all, []);
    await client.stop();
    await sockets.closed();
  });
}

Deno.test("requests of another user get 403, also through a node that has no such connection", async () => {
  await using bus = await open("redis");
  await using pair = await startPair(bus);
  const port = Number(new URL(pair.one.url).port);
  const named = await PollingPeer.connect(port, "&user=ann");
  const anonymous = await PollingPeer.connect(port);
  const other = { status: 403, text: "The user associated with this connection changed." };
  for (const node of [pair.one, pair.two]) {
    const attackers = [
      through(named.with("&user=ann", "&user=bob"), node),
      through(named.with("&user=ann", ""), node),
      through(anonymous.with("?id", "?user=bob&id"), node),
    ];
    for (const attacker of attackers) {
      assertEquals(await attacker.poll(), other);
      assertEquals(await attacker.post(CALL), other);
      assertEquals(await attacker.delete(), other);
    }
  }
  for (const peer of [named, anonymous]) {
    const friend = through(peer, pair.two);
    assertEquals((await friend.post(CALL)).status, 200);
    assertEquals((await friend.poll()).text, RESULT);
    assertEquals((await friend.delete()).status, 202);
  }
});

for (const [name, host] of Object.entries(HOSTS)) {
  Deno.test(`long bodies go through another node both ways, on ${name}`, async () => {
    await using bus = await open("nats");
    const prefix = randomPrefix();
    await using home = await Node.start(await bus.open(prefix), {}, host);
    await using relay = await Node.start(await bus.open(prefix), {}, host);
    await until(() => [home, relay].every(({ server }) => server.nodes.length === 2));
    const peer = await PollingPeer.connect(Number(new URL(home.url).port));
    const other = through(peer, relay);
    const texts = Array.from({ length: 20 }, (_, n) => `${n} `.repeat(8000));
    const calls = texts.map((text, n) =>
      `{"type":1,"invocationId":"${n}","target":"echo","arguments":["${text}"]}\x1e`
    );
    const posted = other.post(calls.join(""));
    let got = "";
    while (got.split("\x1e").length <= texts.length) got += (await bounded(other.poll())).text;
    assertEquals((await posted).status, 200);
    const results = got.split("\x1e").slice(0, -1).map((text) => JSON.parse(text).result);
    assertEquals(results.length, texts.length);
    assertEquals(results.every((result, n) => result === texts[n]), true);
    assertEquals((await other.delete()).status, 202);
  });

  Deno.test(`a client that goes from the relay is missed by the home, on ${name}`, async () => {
    await using bus = await open("redis");
    const prefix = randomPrefix();
    const options = { disconnectTimeout: 1000 };
    await using home = await Node.start(await bus.open(prefix), options, host);
    await using relay = await Node.start(await bus.open(prefix), options, host);
    await until(() => [home, relay].every(({ server }) => server.nodes.length === 2));
    const peer = await PollingPeer.connect(Number(new URL(home.url).port));
    const gone = new AbortController();
    const poll = fetch(through(peer, relay).url, { signal: gone.signal });
    await delay(1500);
    assertEquals(home.departed.all, []);
    gone.abort();
    await poll.then((response) => response.body?.cancel()).catch(() => {});
    await home.departed.next();
  });

  Deno.test(`a poll through another node renews the authentication, on ${name}`, async () => {
    await using bus = await open("redis");
    const prefix = randomPrefix();
    const nodes = await Promise.all([0, 1].map(() => startExpiring(bus, prefix, host)));
    const [home, relay] = nodes;
    assert(home !== undefined && relay !== undefined);
    await until(() => nodes.every(({ server }) => server.nodes.length === 2));
    const peer = await PollingPeer.connect(home.port, "&seconds=1");
    const other = peer.at(relay.port).with("&seconds=1", "&seconds=60");
    const waiting = other.poll();
    await delay(3000);
    assertEquals(home.ended.all, []);
    assertEquals((await other.post(CALL)).status, 200);
    await waiting;
    // Without a newer one the connection ends.
    const shorter = other.with("&seconds=60", "&seconds=0.1").poll();
    await home.ended.next();
    await shorter;
    for (const node of nodes) await node[Symbol.asyncDispose]();
  });
}

/** A node whose users are authenticated for as long as their requests say. */
async function startExpiring(bus: ServedBus, prefix: string, host: Host) {
  const ended = new Events<string>();
  const server = createHubServer({
    hubs: {
      "/hub": defineHub({
        methods: { echo: (_context: HubContext<Record<never, never>>, value: unknown) => value },
        disconnected: ({ connectionId }) => ended.add(connectionId),
      }),
    },
    backplane: await bus.open(prefix),
    logger: new KeptLog(),
    closeOnAuthenticationExpiration: true,
    authenticate(request) {
      const seconds = Number(new URL(request.url).searchParams.get("seconds"));
      return { id: "ann", expires: new Date(Date.now() + seconds * 1000) };
    },
  });
  await bounded(server.ready);
  const http = await host(server);
  return {
    ...{ server, ended, port: http.port },
    async [Symbol.asyncDispose]() {
      await server.close();
      await http.shutdown();
    },
  };
}
