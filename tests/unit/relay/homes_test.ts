import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DISCONNECT_TIMEOUT, HomesFarm } from "./homes_farm.ts";

const MINUTES = 60_000;

Deno.test("a token begins one connection, at its own node without a word to the others", async () => {
  const farm = new HomesFarm();
  const [a, b] = [farm.add("a"), farm.add("b")];
  const token = a.issue();
  assertEquals(await a.open(token), "here");
  assertEquals(farm.said, []);
  // The connection may have ended: the token begins nothing again.
  assertEquals(await a.open(token), "nowhere");
  assertEquals(await b.open(token), "elsewhere: a");
  assertEquals(farm.said, ["claim → a", "claimed → b"]);
  assertEquals(await b.open(token), "elsewhere: a");
  assertEquals(farm.said.length, 2);
});

Deno.test("a fresh token of another node begins here after one question, and never again", async () => {
  const farm = new HomesFarm();
  const [a, b, c] = [farm.add("a"), farm.add("b"), farm.add("c")];
  const token = a.issue();
  assertEquals(await b.open(token), "here");
  assertEquals(farm.said.splice(0), ["claim → a", "claimed → b"]);
  assertEquals(await b.open(token), "nowhere");
  assertEquals(await a.open(token), "elsewhere: b");
  assertEquals(farm.said, []);
  assertEquals(await c.open(token), "elsewhere: b");
  assertEquals(farm.said, ["claim → a", "claimed → c"]);
});

Deno.test("one token at many nodes at once begins one connection", async () => {
  await fc.assert(fc.asyncProperty(
    fc.shuffledSubarray(["a", "b", "c", "d"], { minLength: 2 }),
    fc.array(fc.boolean(), { maxLength: 12 }),
    async (order, losses) => {
      const farm = new HomesFarm();
      for (const name of ["a", "b", "c", "d"]) farm.add(name);
      const token = farm.nodes.get("a")?.issue() ?? "";
      farm.loses = () => losses.pop() ?? false;
      const results = order.map(async (name) => [name, await farm.nodes.get(name)?.open(token)]);
      await farm.pass(5000);
      const places = await Promise.all(results);
      const homes = places.flatMap(([name, place]) => place === "here" ? [name] : []);
      assertEquals(homes.length, 1, places.join(" "));
      for (const [name, place] of places) {
        if (name !== homes[0]) assertEquals(place, `elsewhere: ${homes[0]}`);
      }
    },
  ));
});

Deno.test("a node whose answer was lost asks again, and gets the same one", async () => {
  const farm = new HomesFarm();
  const [a, b, c] = [farm.add("a"), farm.add("b"), farm.add("c")];
  const token = a.issue();
  let losses = 3;
  farm.loses = (_node, { kind }) => kind === "claimed" && losses-- > 0;
  const opening = b.open(token);
  await farm.pass(749);
  assertEquals(await c.open(token), "elsewhere: b");
  await farm.pass(1);
  assertEquals(await opening, "here");
  assertEquals(farm.clock.pending, 0);
});

Deno.test("clocks that are ten minutes apart change nothing in how long a token is good", async () => {
  for (const [own, other] of [[0, 10], [10, 0], [-10, 10]] as const) {
    const farm = new HomesFarm();
    const a = farm.add("a", own * MINUTES);
    const b = farm.add("b", other * MINUTES);
    const [first, second, third] = [a.issue(), a.issue(), a.issue()];
    assertEquals(await b.open(first), "here");
    await farm.pass(DISCONNECT_TIMEOUT + 1000);
    assertEquals(await b.open(second), "here");
    await farm.pass(1);
    farm.said.length = 0;
    // The judge is asked while this node may be wrong about the clock of the judge; later nobody is.
    assertEquals(await b.open(third), "elsewhere: undefined");
    assertEquals(farm.said, ["claim → a", "claimed → b"]);
    await farm.pass(5000);
    farm.said.length = 0;
    assertEquals(await b.open(third), "elsewhere: undefined");
    assertEquals(await a.open(third), "elsewhere: undefined");
    assertEquals(farm.said, []);
  }
});

Deno.test("a token that is used until the end begins no second connection at its home", async () => {
  const farm = new HomesFarm();
  const [a, b] = [farm.add("a"), farm.add("b")];
  const token = a.issue();
  await farm.pass(DISCONNECT_TIMEOUT);
  assertEquals(await b.open(token), "here");
  for (let second = 0; second < 60; second++) {
    await farm.pass(1000);
    for (const { homes } of farm.nodes.values()) homes.tick();
    const place = await b.open(token);
    assertEquals(place === "nowhere" || place === "elsewhere: undefined", true, place);
  }
  assertEquals([a.homes.remembered, b.homes.remembered], [0, 0]);
});

Deno.test("a fresh token of a node that has gone begins at one of the others, once", async () => {
  const farm = new HomesFarm();
  const [a, b, c] = [farm.add("a"), farm.add("b"), farm.add("c")];
  const tokens = [a.issue(), a.issue()] as const;
  farm.loses = () => true;
  const waiting = b.open(tokens[0]);
  await farm.pass(250);
  farm.end("a", true);
  farm.loses = () => false;
  farm.said.length = 0;
  await farm.pass(500);
  assertEquals(await waiting, "here");
  const { id } = b.read(tokens[0]);
  assertEquals(farm.said.splice(0), ["stand → c", `stand on ${id}`, "claimed → b"]);
  assertEquals(await b.open(tokens[0]), "nowhere");
  const later = c.open(tokens[0]);
  await farm.pass(500);
  assertEquals(await later, "elsewhere: b");
  // One that is too old is good for nothing, and nobody is asked.
  await farm.pass(DISCONNECT_TIMEOUT + 1000);
  farm.said.length = 0;
  assertEquals(await b.open(tokens[1]), "elsewhere: undefined");
  assertEquals([farm.said, farm.clock.pending], [[], 0]);
  // The node is forgotten at last.
  await farm.pass(90_000);
  for (const { homes } of farm.nodes.values()) homes.tick();
  assertEquals(await b.open(tokens[1]), "elsewhere: undefined");
});

Deno.test("a connection that has ended where it began does not begin elsewhere when its issuer goes", async () => {
  const farm = new HomesFarm();
  const [a, b, c] = [farm.add("a"), farm.add("b"), farm.add("c")];
  const token = a.issue();
  assertEquals(await b.open(token), "here");
  farm.end("a", true);
  const place = c.open(token);
  await farm.pass(500);
  assertEquals(await place, "elsewhere: b");
});

Deno.test("of the candidates for a connection one begins it, though they are strangers, or answers are lost", async () => {
  await fc.assert(fc.asyncProperty(
    fc.shuffledSubarray(["b", "c", "d", "e"], { minLength: 2 }),
    fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 4, maxLength: 4 }),
    fc.array(fc.boolean(), { maxLength: 16 }),
    fc.boolean(),
    async (order, delays, losses, areStrangers) => {
      const farm = new HomesFarm();
      for (const name of ["a", "b", "c", "d", "e"]) farm.add(name);
      const token = farm.nodes.get("a")?.issue() ?? "";
      farm.end("a", true);
      if (areStrangers) { for (const { knows } of farm.nodes.values()) knows.clear(); }
      // Nodes that know each other repeat their questions; of a stranger nobody knows that it has not answered.
      let messages = 0;
      if (!areStrangers) farm.loses = () => losses[messages++] ?? false;
      const results: Promise<[string, string | undefined]>[] = [];
      for (const [index, name] of order.entries()) {
        await farm.pass(delays[index] ?? 0);
        const place = farm.nodes.get(name)?.open(token);
        results.push(Promise.resolve(place).then((place) => [name, place]));
      }
      await farm.pass(12_000);
      const places = await Promise.all(results);
      const homes = places.flatMap(([name, place]) => place === "here" ? [name] : []);
      assertEquals(homes.length, 1, places.join(" "));
      for (const [name, place] of places) {
        if (name !== homes[0]) assertEquals(place, `elsewhere: ${homes[0]}`);
      }
      await farm.pass(DISCONNECT_TIMEOUT + 1000);
      assertEquals(farm.clock.pending, 0);
      assertEquals([...farm.nodes.values()].map(({ hears }) => hears.size), [0, 0, 0, 0]);
    },
  ));
});

Deno.test("the smaller candidate goes on", async () => {
  const farm = new HomesFarm();
  const [a, b, c] = [farm.add("a"), farm.add("b"), farm.add("c")];
  const token = a.issue();
  farm.end("a", true);
  const places = [c.open(token), b.open(token)];
  await farm.pass(1000);
  assertEquals(await Promise.all(places), ["elsewhere: b", "here"]);
});

Deno.test("a node that nobody hears for two seconds counts as gone, if the bus counts", async () => {
  for (const counts of [true, false]) {
    const farm = new HomesFarm();
    const [a, b] = [farm.add("a"), farm.add("b")];
    farm.counts = counts;
    const token = a.issue();
    farm.end("a", false);
    let place: string | undefined;
    b.open(token).then((result) => place = result);
    await farm.pass(2000);
    const candidate = farm.said.filter((said) => said.startsWith("stand")).length > 0;
    assertEquals([candidate, place], [counts, undefined]);
    // It might be there: nothing begins before all nodes agree that it is dead.
    await farm.pass(3000);
    assertEquals(place, undefined);
    farm.judge("a");
    await farm.pass(500);
    assertEquals(place, "here");
  }
});

Deno.test("a request that waits for nodes that never answer is told after ten seconds", async () => {
  const farm = new HomesFarm();
  const [a, b] = [farm.add("a"), farm.add("b"), farm.add("c")];
  const token = a.issue();
  farm.loses = () => true;
  const claimed = b.open(a.issue());
  await farm.pass(10_000);
  assertEquals(await claimed, "unknown");
  const other = a.issue();
  farm.end("a", true);
  const stood = b.open(other);
  await farm.pass(10_000);
  assertEquals(await stood, "unknown");
  assertEquals([b.read(token).id.length, farm.clock.pending], [22, 0]);
});

Deno.test("close() answers the requests that wait, and nothing waits any more", async () => {
  const farm = new HomesFarm();
  const [a, b] = [farm.add("a"), farm.add("b")];
  farm.loses = () => true;
  const waiting = [a.issue(), a.issue()].map((token) => b.open(token));
  b.homes.close();
  assertEquals(await Promise.all(waiting), ["unknown", "unknown"]);
  assertEquals(farm.clock.pending, 0);
});
