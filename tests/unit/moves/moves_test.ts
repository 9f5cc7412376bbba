/**
 * Connections that go from one node to another: what the client, the hub and the log see of that.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { HubContext, HubFilter } from "../../../mod.ts";
import { settle } from "../../kit/pipe.ts";
import { requestOf } from "./moving_client.ts";
import { type FarmNode, MovingFarm } from "./moving_farm.ts";

interface Client {
  heard(text: string): void;
}

/** Sends to a group, a user, a connection and everybody. */
function tell(node: FarmNode, name: string): void {
  const { clients } = node;
  clients.group("g").send("heard", `${name} group`);
  clients.user("ann").send("heard", `${name} user`);
  clients.client("c1").send("heard", `${name} connection`);
  clients.all.send("heard", `${name} all`);
}

const told = (name: string) => ["group", "user", "connection", "all"].map((to) => `${name} ${to}`);

Deno.test("a connection keeps its id, user, groups, items and numbers at its new home", async () => {
  const heard: unknown[] = [];
  const methods = {
    keep({ items }: HubContext<Client>, value: unknown) {
      items.set("kept", value);
    },
    tell({ items, user, connectionId, request }: HubContext<Client>) {
      heard.push([items.get("kept"), user?.id, connectionId, request.url]);
    },
  };
  await using farm = await MovingFarm.start(2, { methods });
  const [old, home] = [farm.node(0), farm.node(1)];
  const client = await farm.connect(0, "c1", "ann");
  await old.groups.add("c1", "g");
  client.peer.send({ type: 1, target: "keep", arguments: [{ a: [1] }] });
  await settle();
  assert(await client.move(old, home));
  await settle();
  client.peer.send({ type: 1, target: "tell", arguments: [] });
  await settle();
  assertEquals(heard, [[{ a: [1] }, "ann", "c1", requestOf("again").url]]);
  assertEquals([old.hub.connectionCount, home.hub.connectionCount], [0, 1]);
  tell(old, "old");
  tell(home, "home");
  await settle();
  client.peer.handle();
  const texts = client.peer.heard as string[];
  assertEquals(texts.filter((text) => text.startsWith("old")), told("old"));
  assertEquals(texts.filter((text) => text.startsWith("home")), told("home"));
  await old.groups.remove("c1", "g");
  old.clients.group("g").send("heard", "nobody");
  await settle();
  client.peer.handle();
  assert(!texts.includes("nobody"));
});

Deno.test("the hub hears resumed at the new home, and disconnected at the last one", async () => {
  await using farm = await MovingFarm.start(2);
  const client = await farm.connect(0, "c1", "ann");
  const { signal } = client.connection;
  await client.move(farm.node(0), farm.node(1));
  await settle();
  assert(signal.aborted);
  assertEquals(farm.hooks.map(({ hook, node }) => [hook, node]), [["resumed", 1]]);
  const [resumed] = farm.hooks;
  assertEquals([resumed?.context.connectionId, resumed?.context.user?.id], ["c1", "ann"]);
  client.pipe.vanish();
  client.connection.close({});
  await client.connection.finished;
  assertEquals(farm.hooks.map(({ hook, node }) => [hook, node]), [
    ["resumed", 1],
    ["disconnected", 1],
  ]);
});

Deno.test("HubFilter.resumed() runs around the hub's, and not around connected", async () => {
  const ran: string[] = [];
  const filter = (name: string, goesOn: boolean): HubFilter => ({
    async resumed({ connectionId }, next) {
      ran.push(`${name} ${connectionId}`);
      if (goesOn) await next();
    },
  });
  const resumed = () => void ran.push("hub");
  for (const goesOn of [true, false]) {
    const filters = [filter("outer", true), filter("inner", goesOn)];
    await using farm = await MovingFarm.start(2, { resumed, filters });
    const client = await farm.connect(0, "c1");
    await settle();
    assertEquals(ran, []);
    await client.move(farm.node(0), farm.node(1));
    await settle();
    assertEquals(ran.splice(0), ["outer c1", "inner c1", ...goesOn ? ["hub"] : []]);
  }
});

Deno.test("a connection ends where resumed throws, and the hub hears of the end", async () => {
  const ended: unknown[] = [];
  await using farm = await MovingFarm.start(2, {
    resumed() {
      throw new Error("no");
    },
    disconnected: (_context, error) => void ended.push(error?.message),
  });
  const client = await farm.connect(0, "c1");
  await client.move(farm.node(0), farm.node(1));
  await client.connection.finished;
  assertEquals(ended, ["no"]);
  assert(farm.node(1).logger.lines.some((text) => text.includes("resumed failed")));
});

Deno.test("what is sent before, during and after a move comes once, in the order of each sender", async () => {
  await using farm = await MovingFarm.start(3);
  const [old, home, third] = [farm.node(0), farm.node(1), farm.node(2)];
  const client = await farm.connect(0, "c1", "ann");
  const other = await farm.connect(1, "c2", "ann");
  await old.groups.add("c1", "g");
  await home.groups.add("c2", "g");
  const names: string[] = [];
  const tellAll = (name: string) => {
    names.push(name);
    for (const [index, node] of [old, home, third].entries()) tell(node, `${index} ${name}`);
  };
  tellAll("before");
  await settle();
  client.peer.handle();
  client.peer.acknowledge();
  // This reaches neither the client nor, on the bus, the old home before the value leaves.
  old.backplane.lags = true;
  tellAll("late");
  await settle();
  client.peer.cut(true);
  tellAll("without a pipe");
  await settle();
  const state = client.leave(old);
  assert(state !== undefined);
  tellAll("nowhere");
  old.backplane.lags = false;
  old.backplane.release();
  await settle();
  home.backplane.lags = true;
  tellAll("not heard here");
  const arrived = client.join(home, state);
  assert(arrived !== undefined);
  tellAll("not confirmed");
  home.backplane.lags = false;
  home.backplane.release();
  tellAll("arriving");
  assert(await arrived.whole);
  tellAll("without a pipe again");
  client.peer.comeBack();
  tellAll("after");
  await farm.pass(3000);
  tellAll("long after");
  await settle();
  client.peer.handle();
  for (const sender of [0, 1, 2]) {
    const of = (texts: unknown[], to: string) =>
      texts.filter((text) => `${text}`.startsWith(`${sender} `) && `${text}`.endsWith(` ${to}`));
    for (const to of ["group", "user", "connection", "all"]) {
      const wanted = names.map((name) => `${sender} ${name} ${to}`);
      assertEquals(of(client.peer.heard, to), wanted);
    }
  }
  other.peer.handle();
  const others = other.peer.heard as string[];
  assertEquals(others.length, 9 * names.length, "the connection that was there before");
  assertEquals(new Set(others).size, others.length);
});

Deno.test("a connection that has missed what no ring keeps is closed, and may reconnect", async () => {
  await using farm = await MovingFarm.start(3, { repairBufferBytes: 2000 });
  const [old, home, third] = [farm.node(0), farm.node(1), farm.node(2)];
  const client = await farm.connect(0, "c1");
  await old.groups.add("c1", "g");
  client.peer.cut(true);
  const state = client.leave(old);
  assert(state !== undefined);
  for (let count = 0; count < 100; count++) {
    third.clients.group("g").send("heard", `${count} ${"x".repeat(100)}`);
  }
  await settle();
  const arrived = client.join(home, state);
  assert(arrived !== undefined);
  const { connection } = client;
  assertEquals(await arrived.whole, false);
  await connection.finished;
  assertEquals(farm.hooks.at(-1)?.hook, "disconnected");
  assert(
    home.logger.lines.some((text) => text.includes("lost while the connection moved")),
    Deno.inspect(home.logger.lines),
  );
});

Deno.test("a connection that has missed what its new home itself keeps no longer is closed", async () => {
  await using farm = await MovingFarm.start(2, { repairBufferBytes: 2000 });
  const [old, home] = [farm.node(0), farm.node(1)];
  const client = await farm.connect(0, "c1");
  await old.groups.add("c1", "g");
  client.peer.cut(true);
  const state = client.leave(old);
  assert(state !== undefined);
  for (let count = 0; count < 100; count++) {
    home.clients.group("g").send("heard", `${count} ${"x".repeat(100)}`);
  }
  assertEquals(await client.join(home, state)?.whole, false);
});

Deno.test("what is lost once a connection has arrived is reported, and the connection goes on", async () => {
  await using farm = await MovingFarm.start(3, { repairBufferBytes: 2000 });
  const [old, home, third] = [farm.node(0), farm.node(1), farm.node(2)];
  const client = await farm.connect(0, "c1");
  await old.groups.add("c1", "g");
  third.clients.group("g").send("heard", "first");
  await settle();
  assert(await client.move(old, home));
  home.backplane.loses = (channel) => channel === "hub:group:g";
  for (let count = 0; count < 100; count++) {
    third.clients.group("g").send("heard", `${count} ${"x".repeat(100)}`);
  }
  await settle();
  home.backplane.loses = () => false;
  third.clients.group("g").send("heard", "last");
  await settle();
  client.peer.handle();
  assertEquals(client.peer.heard.at(-1), "last");
  await farm.pass(500);
  assert(home.logger.lines.some((text) => text.includes("may have been missed")));
  assert(await client.move(home, third));
});

Deno.test("a connection with items that cannot move is closed, and may reconnect; the log says why", async () => {
  const methods = {
    keep({ items }: HubContext<Client>, text: string) {
      items.set(text, new Set());
    },
  };
  await using farm = await MovingFarm.start(2, { methods });
  const old = farm.node(0);
  for (const id of ["c1", "c2"]) {
    const client = await farm.connect(0, id);
    client.peer.send({ type: 1, target: "keep", arguments: [id] });
    await settle();
    assertEquals(client.leave(old), undefined);
    assertEquals(client.pipe.records.at(-1), { type: 7, allowReconnect: true });
    await client.connection.finished;
  }
  const entries = old.logger.lines.filter((text) => text.includes("cannot move"));
  assertEquals(entries.length, 1, Deno.inspect(old.logger.lines));
});

Deno.test("Moves.leave() gives nothing while a call runs, waits, or has not begun", async () => {
  const running: PromiseWithResolvers<void>[] = [];
  const methods = {
    wait(_context: HubContext<Client>) {
      const { promise } =
        running[running.push(Promise.withResolvers<void>()) - 1] as PromiseWithResolvers<void>;
      return promise;
    },
  };
  await using farm = await MovingFarm.start(2, { methods });
  const [old, home] = [farm.node(0), farm.node(1)];
  const client = await farm.connect(0, "c1");
  const wait = (invocationId: string) => ({ type: 1, invocationId, target: "wait", arguments: [] });
  client.peer.send(wait("1"));
  client.peer.send(wait("2"));
  await settle();
  assertEquals(client.leave(old), undefined);
  running[0]?.resolve();
  await settle();
  assertEquals([running.length, client.leave(old)], [2, undefined]);
  running[1]?.resolve();
  await settle();
  // The answers are the client's although it has not heard them yet.
  client.peer.cut(true);
  await client.move(old, home);
  const answers = client.connection.conversation?.movable?.sequence?.unacknowledged;
  assertEquals(answers?.length, 2);
});

Deno.test("Moves.leave() gives nothing for a client that cannot come back", async () => {
  await using farm = await MovingFarm.start(1);
  const node = farm.node(0);
  const plain = await node.connect("plain");
  const [connection] = node.hub.connections;
  assert(connection !== undefined);
  assertEquals(node.hub.moves.leave(connection), undefined);
  assertEquals(plain.ends, []);
});

Deno.test("connections that move at the same time ask together for what they lack", async () => {
  await using farm = await MovingFarm.start(3);
  const [old, home, third] = [farm.node(0), farm.node(1), farm.node(2)];
  const clients = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const client = await farm.connect(0, `c${index}`);
      await old.groups.add(`c${index}`, "g");
      client.peer.cut(true);
      return client;
    }),
  );
  third.clients.group("g").send("heard", "before");
  await settle();
  const states = clients.map((client) => client.leave(old));
  third.clients.group("g").send("heard", "meanwhile");
  const published = home.backplane.published.length;
  const arrivals = clients.map((client, index) => {
    const state = states[index];
    return state && client.join(home, state)?.whole;
  });
  assertEquals(await Promise.all(arrivals), clients.map(() => true));
  const questions = home.backplane.published.slice(published).filter((channel) =>
    channel.startsWith("internal:hubplane:node:")
  );
  assert(questions.length <= 10, `${questions.length} questions`);
  for (const client of clients) {
    client.peer.comeBack();
    client.peer.handle();
    assertEquals(client.peer.heard, ["before", "meanwhile"]);
  }
});

Deno.test("a connection hears what nodes published that began or ended while it was on its way", async () => {
  await using farm = await MovingFarm.start(3);
  const [old, home, third] = [farm.node(0), farm.node(1), farm.node(2)];
  const client = await farm.connect(0, "c1");
  await old.groups.add("c1", "g");
  client.peer.cut(true);
  const state = client.leave(old);
  assert(state !== undefined);
  const young = await farm.begin();
  young.clients.group("g").send("heard", "young");
  await settle();
  // Whatever it published last, it was not much: nobody closes the connection for that.
  third.clients.group("g").send("heard", "last words");
  await farm.end(third);
  assertEquals(await client.join(home, state)?.whole, true);
  client.peer.comeBack();
  young.clients.group("g").send("heard", "young again");
  await farm.pass(2000);
  client.peer.handle();
  assertEquals(client.peer.heard, ["young", "young again"]);
});

Deno.test("a sign that comes before the channels are confirmed hides nothing that was told before", async () => {
  await using farm = await MovingFarm.start(3);
  const [old, home, third] = [farm.node(0), farm.node(1), farm.node(2)];
  const client = await farm.connect(0, "c1");
  await old.groups.add("c1", "g");
  client.peer.cut(true);
  const state = client.leave(old);
  assert(state !== undefined);
  third.clients.group("g").send("heard", "meanwhile");
  await farm.pass(1000);
  const { promise, resolve } = Promise.withResolvers<void>();
  home.backplane.confirmation = promise;
  const arrived = client.join(home, state);
  await settle();
  third.advance(0);
  await settle();
  resolve();
  assertEquals(await arrived?.whole, true);
  client.peer.comeBack();
  client.peer.handle();
  assertEquals(client.peer.heard, ["meanwhile"]);
});

Deno.test("a connection gets what the bus has lost and only other members have asked for", async () => {
  await using farm = await MovingFarm.start(3);
  const [old, home, third] = [farm.node(0), farm.node(1), farm.node(2)];
  const client = await farm.connect(0, "c1");
  const other = await farm.connect(1, "c2");
  await old.groups.add("c1", "g");
  await home.groups.add("c2", "g");
  await farm.pass(1000);
  home.backplane.loses = (channel) => channel === "hub:group:g";
  third.clients.group("g").send("heard", "first");
  await settle();
  // Long enough for the next sign to list it.
  third.clock.advance(300);
  assert(await client.move(old, home));
  // The others learn of the first message and ask; the second one comes to them with the answer.
  third.backplane.lags = true;
  third.advance(0);
  await settle();
  third.clients.group("g").send("heard", "second");
  await settle();
  third.backplane.lags = false;
  third.backplane.release();
  await farm.pass(500);
  home.backplane.loses = () => false;
  third.clients.group("g").send("heard", "third");
  await farm.pass(500);
  for (const { peer } of [client, other]) {
    peer.handle();
    assertEquals(peer.heard, ["first", "second", "third"]);
  }
});

Deno.test("a connection that leaves a group while it catches up hears no more of that group", async () => {
  await using farm = await MovingFarm.start(3);
  const [old, home, third] = [farm.node(0), farm.node(1), farm.node(2)];
  const client = await farm.connect(0, "c1");
  for (const group of ["left", "again", "kept"]) await old.groups.add("c1", group);
  client.peer.cut(true);
  const state = client.leave(old);
  assert(state !== undefined);
  home.backplane.lags = true;
  const arrived = client.join(home, state);
  const tell = (text: string) => {
    for (const group of ["left", "again", "kept"]) {
      third.clients.group(group).send("heard", `${group} ${text}`);
    }
  };
  tell("first");
  await settle();
  await home.groups.remove("c1", "left");
  await home.groups.remove("c1", "again");
  // Long enough for the channel to be given up.
  home.advance(2000);
  home.advance(0);
  const again = home.groups.add("c1", "again");
  await settle();
  home.backplane.lags = false;
  home.backplane.release();
  assertEquals(await arrived?.whole, true);
  await again;
  tell("second");
  client.peer.comeBack();
  await farm.pass(2000);
  client.peer.handle();
  const heard = client.peer.heard as string[];
  assertEquals(heard.filter((text) => text.startsWith("left")), []);
  assertEquals(heard.filter((text) => text.startsWith("kept")), ["kept first", "kept second"]);
  // What was on its way when it left may come when it is a member again.
  const again2 = heard.filter((text) => text.startsWith("again"));
  assertEquals([again2.at(-1), new Set(again2).size], ["again second", again2.length]);
});

Deno.test("a connection that catches up while the bus goes away and comes back misses nothing", async () => {
  await using farm = await MovingFarm.start(3);
  const [old, home, third] = [farm.node(0), farm.node(1), farm.node(2)];
  const client = await farm.connect(0, "c1");
  await old.groups.add("c1", "g");
  client.peer.cut(true);
  const state = client.leave(old);
  assert(state !== undefined);
  third.clients.group("g").send("heard", "before");
  const arrived = client.join(home, state);
  home.backplane.lose();
  home.backplane.loses = () => true;
  third.clients.group("g").send("heard", "meanwhile");
  await settle();
  home.backplane.loses = () => false;
  home.backplane.recover();
  assertEquals(await arrived?.whole, true);
  client.peer.comeBack();
  third.clients.group("g").send("heard", "afterwards");
  await farm.pass(2000);
  client.peer.handle();
  assertEquals(client.peer.heard, ["before", "meanwhile", "afterwards"]);
});

Deno.test("a connection neither leaves nor arrives while the bus is away", async () => {
  await using farm = await MovingFarm.start(2);
  const [old, home] = [farm.node(0), farm.node(1)];
  const client = await farm.connect(0, "c1");
  old.backplane.lose();
  assertEquals(client.leave(old), undefined);
  old.backplane.recover();
  const state = client.leave(old);
  assert(state !== undefined);
  home.backplane.lose();
  assertEquals(client.join(home, state), undefined);
  assertEquals(home.hub.connectionCount, 0);
  home.backplane.recover();
  const arrived = client.join(home, state);
  assertEquals(await arrived?.whole, true);
  // The same value again.
  assertEquals(client.join(home, state), undefined);
  assertEquals(home.hub.connectionCount, 1);
});

Deno.test("Moves.join() throws for another hub or user, and for names that cannot be", async () => {
  await using farm = await MovingFarm.start(2);
  const [old, home] = [farm.node(0), farm.node(1)];
  const client = await farm.connect(0, "c1", "ann");
  const state = client.leave(old);
  assert(state !== undefined);
  const wrong = { ...state, hub: "other" };
  assertThrows(() => client.join(home, wrong), TypeError, "another hub or user");
  const request = requestOf("again");
  assertThrows(() => home.hub.moves.join(state, { user: { id: "bob" }, request }), TypeError);
  assertThrows(() => home.hub.moves.join(state, { user: undefined, request }), TypeError);
  assertThrows(() => client.join(home, { ...state, groups: ["g".repeat(300)] }), Error, "256");
  assertThrows(() => client.join(home, { ...state, id: "" }), Error, "connection id");
  assertEquals([home.hub.connectionCount, farm.hooks], [0, []]);
  assertEquals(await client.join(home, state)?.whole, true);
});
