/**
 * Requests between nodes in memory, while a clock is moved by hand.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Relayed } from "../../../hub/relay/relay.ts";
import { assertIdle, brief, LIMITS, pair, RelayFarm } from "./relay_farm.ts";

Deno.test("request() finds the home on the channel of the connection, and remembers it", async () => {
  const [farm, relay] = pair();
  assertEquals(await brief(await farm.until(relay.request({ connectionId: "c" }))), "200 hello");
  assertEquals(farm.said.splice(0), [
    "seek on hub:c",
    ...["relayed → home", "relayedAnswer → relay", "relayReceipt → home"],
  ]);
  assertEquals(await brief(await farm.until(relay.request({ connectionId: "c" }))), "200 hello");
  assertEquals(farm.said, ["relayed → home", "relayedAnswer → relay", "relayReceipt → home"]);
  assertIdle(farm);
});

Deno.test("request() asks nobody where a connection is whose home the caller knows", async () => {
  const [farm, relay, home] = pair();
  const known = { connectionId: "c", home: "home" };
  const answer = await farm.until(relay.request({ ...known, userId: "ann", expires: 5 }));
  assert(answer instanceof Response);
  assertEquals(answer.headers.get("content-type"), "text/plain");
  assertEquals(farm.said.includes("seek on hub:c"), false);
  const [{ userId, expires, verb } = {}] = home.served;
  assertEquals([userId, expires, verb], ["ann", 5, "poll"]);
});

Deno.test("request() tells at once that nobody has a connection, and asks again after 5 s", async () => {
  const farm = new RelayFarm();
  const [relay] = [farm.add("relay"), farm.add("other")];
  for (let time = 0; time < 3; time++) {
    assertEquals(await relay.request({ connectionId: "x" }), "nowhere");
  }
  assertEquals(farm.said.splice(0), ["seek on hub:x"]);
  await farm.pass(5000);
  assertEquals(await relay.request({ connectionId: "x" }), "nowhere");
  assertEquals(farm.said, ["seek on hub:x"]);
  assertIdle(farm);
});

Deno.test("request() asks one question for all requests of a connection", async () => {
  const [farm, relay, home] = pair();
  const answers = Array.from({ length: 50 }, () => relay.request({ connectionId: "c" }));
  for (const answer of answers) assertEquals(await brief(await farm.until(answer)), "200 hello");
  assertEquals(farm.said.filter((said) => said.startsWith("seek")).length, 1);
  assertEquals(home.served.length, 50);
});

Deno.test("request() is held while a node may be out of reach, and then answered", async () => {
  const [farm, relay, home] = pair();
  relay.settled = false;
  home.channels.clear();
  const answer = relay.request({ connectionId: "c" });
  await farm.pass(3000);
  assertEquals(relay.relay.held, 1);
  home.channels.add("c");
  assertEquals(await brief(await farm.until(answer)), "200 hello");
  // For a connection that nobody has, until nobody can be out of reach, or the time is over.
  const waiting = relay.request({ connectionId: "x" });
  await farm.pass(3000);
  assertEquals(relay.relay.held, 1);
  relay.settled = true;
  assertEquals(await farm.until(waiting), "nowhere");
  relay.settled = false;
  const late = relay.request({ connectionId: "y" });
  await farm.pass(9750);
  assertEquals(relay.relay.held, 1);
  await farm.pass(250);
  assertEquals(await late, "busy");
  assertIdle(farm);
});

Deno.test("request() is held while the bus is away, and answered when it is back", async () => {
  for (const known of [undefined, "home"]) {
    const [farm, relay] = pair();
    relay.status = "reconnecting";
    const answer = relay.request({ connectionId: "c", home: known });
    await farm.pass(4000);
    assertEquals(relay.relay.held, 1);
    relay.status = "open";
    assertEquals(await brief(await farm.until(answer)), "200 hello");
    relay.status = "reconnecting";
    const late = relay.request({ connectionId: "c", home: known });
    await farm.pass(LIMITS.relayTimeout);
    assertEquals(await late, "busy");
    relay.status = "open";
    await farm.pass(1000);
    assertIdle(farm);
  }
});

Deno.test("request() asks all nodes on a bus that cannot tell who hears a channel", async () => {
  const farm = new RelayFarm();
  farm.counts = false;
  const [relay] = [farm.add("relay"), farm.add("a"), farm.add("b")];
  const answer = relay.request({ connectionId: "x" });
  await farm.pass(0);
  assertEquals(farm.said, ["seek on hub:x"]);
  assertEquals(await farm.until(answer), "nowhere");
  assertEquals(farm.said.slice(1, 3), ["seek → a", "seek → b"]);
  // One that does not answer keeps the request waiting.
  farm.fate = ({ kind, node }) => kind === "sought" && node === "b" ? "lost" : "arrives";
  const waiting = relay.request({ connectionId: "y" });
  await farm.pass(5000);
  assertEquals(relay.relay.held, 1);
  farm.judge("b");
  assertEquals(await farm.until(waiting), "nowhere");
});

Deno.test("request() asks the issuer of a young token, and all nodes if it has gone", async () => {
  const [farm, relay, home] = pair();
  const issuer = farm.add("issuer");
  home.channels.clear();
  const young = { connectionId: "c", issuer: "issuer", isYoung: true };
  issuer.homes.set("c", "home");
  assertEquals(await brief(await farm.until(relay.request(young))), "200 hello");
  assertEquals(farm.said.slice(0, 2), ["seek → issuer", "seek on hub:c"]);
  farm.said.length = 0;
  const [other, third] = [farm.add("other"), farm.add("third")];
  assertEquals(await farm.until(other.request({ ...young, connectionId: "x" })), "nowhere");
  farm.kill("issuer");
  farm.judge("issuer");
  assertEquals(await brief(await farm.until(third.request(young))), "200 hello");
});

Deno.test("request() looks for a connection again that its home does not have", async () => {
  const [farm, relay, home] = pair();
  const elsewhere = farm.add("elsewhere");
  assertEquals(await brief(await farm.until(relay.request({ connectionId: "c" }))), "200 hello");
  home.connections.delete("c");
  home.channels.delete("c");
  assertEquals(await farm.until(relay.request({ connectionId: "c" })), "nowhere");
  elsewhere.connections.set("d", () => new Response("there"));
  elsewhere.channels.add("d");
  const answer = await farm.until(relay.request({ connectionId: "d", home: "home" }));
  assertEquals(await brief(answer), "200 there");
  // The issuer may remember a home that the connection has left.
  elsewhere.homes.set("e", "home");
  const left = { connectionId: "e", issuer: "elsewhere", isYoung: true, home: "home" };
  assertEquals(await farm.until(relay.request(left)), "nowhere");
  assertIdle(farm);
});

Deno.test("request() tells that a connection is nowhere when its home dies, whenever that is", async () => {
  const [farm, relay, home] = pair();
  const { promise } = Promise.withResolvers<Response>();
  home.connections.set("c", () => promise);
  const taken = relay.request({ connectionId: "c" });
  await farm.pass(500);
  farm.kill("home");
  const asked = relay.request({ connectionId: "c" });
  await farm.pass(500);
  assertEquals(relay.relay.held, 1);
  farm.judge("home");
  assertEquals([await farm.until(taken), await farm.until(asked)], ["nowhere", "nowhere"]);
  assertIdle(farm);
});

Deno.test("a home that nobody hears for two seconds is looked for again", async () => {
  const [farm, relay] = pair();
  assertEquals(await brief(await farm.until(relay.request({ connectionId: "c" }))), "200 hello");
  farm.kill("home");
  const answer = relay.request({ connectionId: "c" });
  await farm.pass(1750);
  assertEquals(relay.relay.held, 1);
  await farm.pass(500);
  assertEquals(await answer, "nowhere");
  assertIdle(farm);
});

Deno.test("request() refuses more than maximumRelays, and more than 100 of one user", async () => {
  const [farm, relay] = pair({ maximumRelays: 150 });
  relay.status = "reconnecting";
  const ask = (userId: string | undefined, connectionId: string) =>
    relay.request({ connectionId, userId });
  const held = Array.from({ length: 100 }, (_, n) => ask("ann", `${n}`));
  assertEquals(await ask("ann", "100"), "busy");
  held.push(...Array.from({ length: 50 }, (_, n) => ask(undefined, `${n}`)));
  assertEquals(await ask("bob", "1"), "busy");
  assertEquals(relay.relay.held, 150);
  assertEquals(relay.log.lines.length, 1);
  await farm.pass(LIMITS.relayTimeout);
  assertEquals(new Set(await Promise.all(held)), new Set(["busy" as const]));
  assertIdle(farm);
});

Deno.test("a request that its home has taken over is not held any more", async () => {
  const [farm, relay, home] = pair({ maximumRelays: 2 });
  const { promise, resolve } = Promise.withResolvers<string>();
  home.connections.set("c", async () => new Response(await promise));
  const answers: Promise<Relayed>[] = [];
  for (let n = 0; n < 10; n++) {
    answers.push(relay.request({ connectionId: "c", home: "home" }));
    await farm.pass(0);
    assertEquals(relay.relay.held, 0);
  }
  // It waits for as long as the home does.
  await farm.pass(100_000);
  resolve("late");
  for (const answer of answers) assertEquals(await brief(await farm.until(answer)), "200 late");
  assertIdle(farm);
});

Deno.test("a client that goes while its request waits tells the home", async () => {
  const [farm, relay, home] = pair();
  const gone = new AbortController();
  const told: string[] = [];
  home.connections.set("c", ({ signal, watched }) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    signal.addEventListener("abort", () => {
      told.push(`gone, watched: ${watched}`);
      resolve(new Response(null, { status: 204 }));
    });
    return promise;
  });
  const answer = relay.request({ connectionId: "c", signal: gone.signal });
  await farm.pass(1000);
  gone.abort();
  assertEquals(await brief(await farm.until(answer)), "204 ");
  assertEquals([told, home.lost], [["gone, watched: true"], []]);
  // A client that goes while its connection is looked for again is not waited for.
  const second = new AbortController();
  farm.add("former").connections.clear();
  const again = relay.request({ connectionId: "c", home: "former", signal: second.signal });
  farm.fate = ({ kind }) => kind === "sought" ? "lost" : "arrives";
  await farm.pass(250);
  second.abort();
  farm.fate = () => "arrives";
  assertEquals(await brief(await farm.until(again)), "204 ");
  assertEquals(home.served.length, 1);
  // And of a client that goes before, nobody is told.
  farm.said.length = 0;
  const early = relay.request({ connectionId: "c", signal: gone.signal });
  assertEquals(await brief(await farm.until(early)), "204 ");
  assertEquals(home.served.length, 1);
  assertIdle(farm);
});

Deno.test("a home ends the requests of a relay that dies, and loses what that did not take", async () => {
  const [farm, relay, home] = pair();
  home.connections.set("c", () => new Response(new Uint8Array(500_000)));
  const answer = await farm.until(relay.request({ connectionId: "c" }));
  assert(answer instanceof Response);
  farm.kill("relay");
  farm.judge("relay");
  assertEquals([home.lost, home.relay.underWay], [["c"], [0, 0]]);
});

Deno.test("a home that gives a request up while its relay waits says so when it is asked", async () => {
  const [farm, relay, home] = pair();
  const { promise, resolve } = Promise.withResolvers<Response>();
  home.connections.set("c", () => promise);
  const answer = relay.request({ connectionId: "c" });
  await farm.pass(1000);
  // The home takes the relay for dead, and the relay does not hear of that.
  home.listener?.ended("relay");
  await farm.pass(13_000);
  assertEquals(relay.relay.underWay, [1, 0]);
  assertEquals(await farm.until(answer), "nowhere");
  resolve(new Response());
  assertIdle(farm);
});

Deno.test("close() answers what waits, on both sides", async () => {
  const [farm, relay, home] = pair();
  const { promise, resolve } = Promise.withResolvers<Response>();
  home.connections.set("c", () => promise);
  const taken = relay.request({ connectionId: "c" });
  relay.settled = false;
  const sought = relay.request({ connectionId: "x" });
  await farm.pass(500);
  relay.relay.close();
  // The client polls another node, and goes on.
  assertEquals([await brief(await taken), await brief(await sought)], ["200 ", "200 "]);
  assertEquals(home.lost, []);
  assertEquals(await relay.request({ connectionId: "c" }), "busy");
  home.relay.close();
  resolve(new Response());
  await farm.pass(250);
  assertIdle(farm);
});
