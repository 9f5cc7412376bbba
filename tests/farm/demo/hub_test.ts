import { assertEquals, assertRejects } from "@std/assert";
import { type ChatNode, startNode } from "../../../examples/chat/chat_node.ts";
import { freePort } from "../../kit/servers/server_process.ts";
import { Person } from "./person.ts";

/** A node of this process, alone on its bus, and its name. */
async function startAlone(): Promise<ChatNode & AsyncDisposable & { readonly name: string }> {
  const port = freePort();
  const node = await startNode({ port, backplane: "memory:" });
  return { ...node, name: String(port), [Symbol.asyncDispose]: () => node.stop() };
}

Deno.test("chat tells a room who joins, speaks and leaves", async () => {
  await using node = await startAlone();
  await using ann = await Person.at(node.url, "Ann");
  await using bob = await Person.at(node.url, "Bob");
  assertEquals(await ann.call("node"), node.name);
  await ann.call("join", "lobby");
  await bob.call("join", "lobby");
  assertEquals(await bob.call("say", "lobby", "hello"), { reachedOthers: true });
  await bob.call("leave", "lobby");
  await ann.hears("left", "lobby", "Bob", node.name);
  assertEquals(ann.heard, [
    ["joined", "lobby", "Ann", node.name],
    ["joined", "lobby", "Bob", node.name],
    ["message", "lobby", "Bob", "hello", node.name],
    ["left", "lobby", "Bob", node.name],
  ]);
});

Deno.test("chat tells every room of a connection that it has gone", async () => {
  await using node = await startAlone();
  await using ann = await Person.at(node.url, "Ann");
  await ann.call("join", "a");
  await ann.call("join", "b");
  await using bob = await Person.at(node.url, "Bob");
  await bob.call("join", "a");
  await bob.call("join", "b");
  await bob.connection.stop();
  await ann.hears("left", "a", "Bob", node.name);
  await ann.hears("left", "b", "Bob", node.name);
});

Deno.test("chat announces who joins twice once", async () => {
  await using node = await startAlone();
  await using ann = await Person.at(node.url, "Ann");
  await ann.call("join", "lobby");
  await ann.call("join", "lobby");
  await ann.call("say", "lobby", "end");
  await ann.hears("message", "lobby", "Ann", "end", node.name);
  assertEquals(ann.heard.filter(([method]) => method === "joined").length, 1);
});

Deno.test("chat calls who gives no name anonymous", async () => {
  await using node = await startAlone();
  await using person = await Person.at(node.url);
  await person.call("join", "lobby");
  await person.hears("joined", "lobby", "anonymous", node.name);
});

Deno.test("chat refuses a name that is too long or has a line break", async () => {
  await using node = await startAlone();
  await assertRejects(() => Person.at(node.url, "x".repeat(41)), Error, "400");
  await assertRejects(() => Person.at(node.url, "a\nb"), Error, "400");
});

Deno.test("chat refuses rooms and messages out of bounds, and says why", async () => {
  await using node = await startAlone();
  await using ann = await Person.at(node.url, "Ann");
  for (const room of ["", " ", "x".repeat(41), "a\nb", 1, null, ["lobby"]]) {
    await assertRejects(() => ann.call("join", room), Error, "The name of a room is 1 to 40");
  }
  await assertRejects(() => ann.call("say", "lobby", "a"), Error, "Join the room before");
  await ann.call("join", "lobby");
  for (const text of ["", " \n", "x".repeat(2001), 1, null, {}]) {
    await assertRejects(() => ann.call("say", "lobby", text), Error, "A message is 1 to 2000");
  }
  for (let room = 2; room <= 20; room++) await ann.call("join", `room ${room}`);
  await assertRejects(() => ann.call("join", "one more"), Error, "You are in 20 rooms already");
});

Deno.test("chat's page lets nothing in but its own files", async () => {
  await using node = await startAlone();
  for (const file of ["", "page.js", "view.js", "page.css", "log.css", "narrow.css", "icon.svg"]) {
    const response = await fetch(node.url + file);
    assertEquals(response.status, 200, file);
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
    const policy = response.headers.get("content-security-policy") ?? "";
    assertEquals(policy.split("; ")[0], "default-src 'self'");
    await response.body?.cancel();
  }
  const missing = await fetch(`${node.url}hub.ts`);
  await missing.body?.cancel();
  assertEquals(missing.status, 404);
});
