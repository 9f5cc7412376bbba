import { assertEquals } from "@std/assert";
import { BUSES } from "./buses.ts";
import { Pair } from "./nodes.ts";

const MESSAGES = 1000;

for (const [driver, open] of Object.entries(BUSES)) {
  Deno.test(`send() keeps one sender's order for members on both nodes over ${driver}`, async () => {
    await using bus = await open();
    await using pair = await Pair.start(bus);
    const { one, two } = pair;
    await using here = await one.connect();
    await using there = await two.connect();
    for (const client of [here, there]) await one.groups.add(client.id, "group");
    const numbers = Array.from({ length: MESSAGES }, (_, index) => index);
    const sent = numbers.map((number) => one.clients.group("group").send("heard", number));
    await Promise.all(sent);
    for (const client of [here, there]) {
      await client.heard.count(MESSAGES);
      assertEquals(client.texts, numbers);
    }
  });
}

Deno.test("send() leaves one copy of what Redis hands back to its sender", async () => {
  await using bus = await BUSES.redis!();
  await using pair = await Pair.start(bus);
  const { one, two } = pair;
  await using here = await one.connect("ann");
  await using there = await two.connect("ann");
  for (const client of [here, there]) await one.groups.add(client.id, "group");
  const sets = [one.clients.all, one.clients.group("group"), one.clients.user("ann")];
  for (const [index, set] of sets.entries()) await set.send("heard", index);
  // What the other node sends after it has heard all comes behind any echo.
  await there.heard.count(3);
  for (const set of [two.clients.all, two.clients.group("group"), two.clients.user("ann")]) {
    await set.send("heard", "last");
  }
  await here.heard.count(6);
  assertEquals(here.texts, [0, 1, 2, "last", "last", "last"]);
  await there.heard.count(6);
  assertEquals(there.texts, [0, 1, 2, "last", "last", "last"]);
});
