import { assertEquals } from "@std/assert";
import { type Answer, Watch } from "./watch.ts";

/** Answers each knock with the next of `answers`, and then with the last. */
function inTurn(...answers: readonly Answer[]): () => Answer {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)];
}

/** How many knocks each later timer makes. */
function countPerTurn(watch: Watch): readonly number[] {
  const counts: number[] = [0];
  const after = watch.clock.after.bind(watch.clock);
  watch.clock.after = (delay, callback) =>
    after(delay, () => {
      const before = watch.knocks.length;
      callback();
      counts.push(watch.knocks.length - before);
    });
  return counts;
}

/** A watch on a bus that has been open for long. */
async function settled(answers?: (channel: string) => Answer): Promise<Watch> {
  const watch = new Watch();
  await watch.pass(2000);
  if (answers !== undefined) watch.answers = answers;
  return watch;
}

Deno.test("WatchedConnections knocks after 250 ms, and not for an answer that has come before", async () => {
  const watch = await settled();
  const quick = watch.begin("quick");
  watch.begin("slow");
  await watch.pass(200);
  watch.connections.end(quick);
  assertEquals(watch.knocks, []);
  await watch.pass(50);
  assertEquals(watch.knocks, ["slow"]);
  await watch.pass(500);
  assertEquals(watch.knocks, ["slow", "slow", "slow"]);
});

Deno.test("WatchedConnections knocks once for all that waits for a connection, and until all have ended", async () => {
  const watch = await settled();
  const first = watch.begin("ann");
  const second = watch.begin("ann");
  await watch.pass(250);
  watch.connections.end(first);
  await watch.pass(250);
  assertEquals(watch.knocks, ["ann", "ann"]);
  watch.connections.end(second);
  await watch.pass(1000);
  assertEquals(watch.knocks.length, 2);
  await watch.assertIdle();
});

Deno.test("WatchedConnections: two knocks in a row that no node has heard mean that nobody has the connection", async () => {
  const watch = await settled(inTurn(0, 1, 0, "away", 0, undefined, 0, 0));
  watch.begin("ann");
  await watch.pass(7 * 250);
  assertEquals(watch.lost, []);
  await watch.pass(250);
  assertEquals(watch.lost, [["ann", false]]);
  await watch.pass(1000);
  assertEquals(watch.knocks.length, 8);
  await watch.assertIdle();
});

Deno.test("WatchedConnections counts no unheard knock while the bus is not open, and for 2 s after", async () => {
  const watch = new Watch();
  watch.answers = () => 0;
  watch.begin("ann");
  await watch.pass(2200);
  assertEquals(watch.lost, []);
  watch.away();
  await watch.pass(2000);
  assertEquals(watch.knocks.length, 8);
  watch.recovered();
  await watch.pass(2200);
  assertEquals(watch.lost, []);
  await watch.pass(250);
  assertEquals(watch.lost, [["ann", false]]);
});

Deno.test("WatchedConnections goes on counting when messages may have been lost though the bus was there", async () => {
  for (const [answer, most] of [[0, 500], [undefined, 5250]] as const) {
    const watch = await settled(() => answer);
    watch.begin("ann");
    await watch.pass(most - 250);
    watch.recovered();
    await watch.pass(200);
    assertEquals(watch.lost, []);
    await watch.pass(50);
    assertEquals(watch.lost, [["ann", false]]);
  }
});

Deno.test("WatchedConnections: an answer of the bus from before an outage does not count", async () => {
  const watch = await settled();
  const held = Promise.withResolvers<number>();
  watch.begin("ann");
  Object.assign(watch, { answers: () => held.promise });
  await watch.pass(500);
  watch.away();
  watch.recovered();
  held.resolve(0);
  await watch.pass(200);
  assertEquals(watch.lost, []);
});

Deno.test("WatchedConnections: knocks of 5 s without an answer mean that nobody has the connection, on a bus that cannot count", async () => {
  const watch = await settled(() => undefined);
  const connection = watch.begin("ann");
  await watch.pass(5000);
  assertEquals(watch.lost, []);
  assertEquals(watch.connections.mayExist(connection), false);
  await watch.pass(250);
  assertEquals(watch.lost, [["ann", false]]);
  assertEquals(watch.knocks.length, 20);
});

Deno.test("WatchedConnections counts no knock for the 5 s that the bus has not taken", async () => {
  const watch = await settled(() => undefined);
  watch.begin("ann");
  await watch.pass(4500);
  watch.answers = () => "away";
  await watch.pass(10_000);
  watch.answers = () => undefined;
  watch.away();
  await watch.pass(10_000);
  watch.recovered();
  await watch.pass(5000);
  assertEquals(watch.lost, []);
  await watch.pass(250);
  assertEquals(watch.lost, [["ann", false]]);
});

Deno.test("WatchedConnections knocks on the node that has the connections, once for all of them", async () => {
  const watch = await settled();
  const connections = ["ann", "bob"].map((id) => watch.begin(id));
  await watch.pass(250);
  for (const id of ["ann", "bob"]) watch.here(id, "one");
  watch.knocks.length = 0;
  await watch.pass(10_000);
  assertEquals(watch.knocks, Array(40).fill("one"));
  assertEquals(watch.lost, []);
  for (const connection of connections) {
    assertEquals(watch.connections.mayExist(connection), true);
    watch.connections.end(connection);
  }
  await watch.assertIdle();
  watch.connections.ended("one");
  assertEquals(watch.lost, []);
});

Deno.test("WatchedConnections: two knocks that the node has not heard mean that its connections are gone", async () => {
  const watch = await settled();
  for (const id of ["ann", "bob", "eve"]) watch.begin(id);
  await watch.pass(250);
  for (const id of ["ann", "bob"]) watch.here(id, "one");
  watch.here("eve", "two");
  watch.answers = (channel) => channel === "one" ? 0 : 1;
  await watch.pass(500);
  assertEquals(watch.lost, [["ann", true], ["bob", true]]);
  watch.connections.ended("two");
  assertEquals(watch.lost.at(-1), ["eve", true]);
  await watch.assertIdle();
});

Deno.test("WatchedConnections: the end of a node ends the wait for its connections, and for no other", async () => {
  const watch = await settled();
  for (const id of ["ann", "bob"]) watch.begin(id);
  await watch.pass(250);
  watch.here("ann", "one");
  watch.connections.ended("two");
  watch.connections.ended("one");
  assertEquals(watch.lost, [["ann", true]]);
  // A wait that begins now is a new one; the end of the old wait does not end it.
  const again = watch.begin("ann");
  watch.connections.end(again);
  watch.connections.ended("one");
  await watch.pass(250);
  assertEquals([watch.lost.length, watch.knocks.at(-1)], [1, "bob"]);
});

Deno.test("WatchedConnections.end() of a wait for a lost connection leaves a later wait alone", async () => {
  const watch = await settled(() => 0);
  const lost = watch.begin("ann");
  await watch.pass(500);
  watch.begin("ann");
  watch.connections.end(lost);
  await watch.pass(500);
  assertEquals(watch.lost, [["ann", false], ["ann", false]]);
});

Deno.test("WatchedConnections ignores the answer to an unknown knock, and a second answer", async () => {
  const watch = await settled();
  const connection = watch.begin("ann");
  for (const id of [0, 1, -1, NaN]) watch.connections.here(id, "hostile");
  await watch.pass(250);
  const knockId = watch.knockIds.get("ann") ?? 0;
  watch.connections.here(knockId + 1, "hostile");
  watch.connections.here(knockId, "one");
  watch.connections.here(knockId, "hostile");
  watch.connections.ended("hostile");
  assertEquals(watch.lost, []);
  watch.connections.end(connection);
  watch.connections.here(knockId, "one");
  await watch.pass(1000);
  assertEquals(watch.knocks, ["ann"]);
});

Deno.test("WatchedConnections looks for a connection anew when messages may have been lost", async () => {
  for (const wasAway of [false, true]) {
    const watch = await settled();
    for (const id of ["ann", "bob", "eve"]) watch.begin(id);
    await watch.pass(250);
    for (const id of ["ann", "bob", "eve"]) watch.here(id, "one");
    if (wasAway) watch.away();
    watch.recovered();
    watch.answers = (channel) => channel === "ann" ? 0 : 1;
    await watch.pass(wasAway ? 2200 : 450);
    assertEquals(watch.lost, []);
    watch.here("bob", "one");
    watch.here("eve", "two");
    await watch.pass(50);
    if (wasAway) await watch.pass(250);
    assertEquals(watch.lost, [["ann", true]]);
    watch.knocks.length = 0;
    await watch.pass(250);
    assertEquals(watch.knocks.sort(), ["one", "two"]);
    // Until it has answered, a connection also goes with the node that has had it.
    watch.recovered();
    watch.connections.ended("one");
    assertEquals(watch.lost, [["ann", true], ["bob", true]]);
    watch.connections.ended("two");
    assertEquals(watch.lost, [["ann", true], ["bob", true], ["eve", true]]);
    await watch.assertIdle();
  }
});

Deno.test("WatchedConnections does not knock for connections of ASP.NET Core", () => {
  const watch = new Watch();
  for (const last of "AQgw") {
    assertEquals(watch.connections.begin(`${"x".repeat(21)}${last}`), undefined);
  }
  assertEquals(watch.clock.pending, 0);
});

Deno.test("WatchedConnections knocks on 1,000 channels at a time, and on 256 in a turn", async () => {
  const watch = await settled();
  const perTurn = countPerTurn(watch);
  const connections = Array.from({ length: 3000 }, (_, n) => watch.begin(`${n}`));
  await watch.pass(250);
  assertEquals(Math.max(...perTurn) <= 256, true, String(perTurn));
  assertEquals(watch.knocks.length, 1000);
  // Those that have waited longest follow.
  watch.answers = (id) => Number(id) < 1000 ? 0 : 1;
  while (watch.lost.length < 1000) await watch.pass(50);
  watch.knocks.length = 0;
  await watch.pass(300);
  assertEquals(new Set(watch.knocks), new Set([...Array(1000).keys()].map((n) => `${n + 1000}`)));
  for (const connection of connections) watch.connections.end(connection);
  await watch.assertIdle();
});

Deno.test("WatchedConnections.close() ends all knocks", async () => {
  const watch = await settled();
  for (let n = 0; n < 2000; n++) watch.begin(`${n}`);
  await watch.pass(250);
  watch.here("1", "one");
  watch.connections.close();
  assertEquals(watch.clock.pending, 0);
});
