import { assertEquals } from "@std/assert";
import { openBackplane } from "../../../mod.ts";

Deno.test("openBackplane() gives memory: alone a bus of its own, and a name one to all who use it", async () => {
  const name = crypto.randomUUID();
  const urls = ["memory:", "memory:", `memory:${name}`, `memory:${name}`, `memory:${name}-other`];
  const opened = await Promise.all(urls.map((url) => openBackplane(url)));
  const heard: number[] = [];
  for (const [index, backplane] of opened.entries()) {
    await backplane.subscribe("news", () => void heard.push(index)).confirmed;
  }
  const counts = [];
  for (const backplane of opened) counts.push(await backplane.publish("news", new Uint8Array()));
  assertEquals(counts, [0, 0, 1, 1, 0]);
  assertEquals(heard.sort(), [2, 3]);
  await Promise.all(opened.map((backplane) => backplane.close()));
});
