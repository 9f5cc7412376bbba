import { assertEquals } from "@std/assert";
import { Child } from "../../kit/child.ts";
import { PollingPeer } from "../../kit/polling.ts";

Deno.test("long polling under Deno.serve() makes Deno print no warning", async () => {
  const node = new URL("../client/node_process.ts", import.meta.url).pathname;
  await using child = Child.start("run", "-A", "--no-check", node, "fetch");
  const [ready = "", port] = await child.until(/ready (\d+)\n/);
  const peer = await PollingPeer.connect(Number(port));
  await peer.invoke("tellAll", 0);
  assertEquals((await peer.poll()).text.includes('"target":"got"'), true);
  // This poll waits until its answer begins.
  const poll = peer.poll();
  const telling = setTimeout(() => peer.invoke("tellAll", 1), 2500);
  assertEquals((await poll).text.includes('"target":"got"'), true);
  clearTimeout(telling);
  assertEquals((await peer.delete()).status, 202);
  assertEquals(child.text, ready);
});
