import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Backplane, openBackplane } from "@hubplane/hubplane";
import { freePort } from "../../kit/servers/server_process.ts";

/** The name of the driver's class, which only the URL chose. */
async function driverOf(url: string | URL): Promise<string> {
  await using backplane: Backplane = await openBackplane(url);
  return backplane.constructor.name;
}

Deno.test("openBackplane() chooses the driver by the scheme, in any case", async () => {
  const port = freePort();
  const cases: readonly (readonly [string | URL, string])[] = [
    ["memory:", "MemoryBackplane"],
    ["MEMORY:name?prefix=a:", "MemoryBackplane"],
    ["broadcast:name", "BroadcastChannelBackplane"],
    [`redis://127.0.0.1:${port}?prefix=a:`, "RedisBackplane"],
    [new URL(`rediss://127.0.0.1:${port}`), "RedisBackplane"],
    [`nats://127.0.0.1:${port},127.0.0.1:${port}`, "NatsBackplane"],
    [`tls://127.0.0.1:${port}`, "NatsBackplane"],
  ];
  for (const [url, driver] of cases) assertEquals(await driverOf(url), driver, `${url}`);
});

Deno.test("openBackplane() lists what it supports when it cannot, and never tells the password", async () => {
  const urls = [
    "",
    "localhost:6379",
    "kafka://ann:hunter2@127.0.0.1",
    "http://:hunter2@127.0.0.1",
    "broadcast:",
    "memory:name?size=3",
    "memory:name#part",
    "memory:%",
  ];
  for (const url of urls) {
    const { message } = await assertRejects(() => openBackplane(url), TypeError, undefined, url);
    for (const scheme of ["memory:", "broadcast:", "redis://", "rediss://", "nats://", "tls://"]) {
      assertStringIncludes(message, scheme);
    }
    assert(!message.includes("hunter2"), message);
  }
});

Deno.test("openBackplane() refuses a malformed URL of a driver without telling the password", async () => {
  const urls = [
    "redis://ann:hunter2@127.0.0.1:port",
    "redis://ann:hunter2@127.0.0.1:6379?size=3",
    "redis://ann:hunter2%@127.0.0.1",
    "rediss://:hunter2@",
    "nats://ann:hunter2@127.0.0.1:99999",
    "nats://ann:hunter2@127.0.0.1?size=3",
    "nats://ann:hunter2%@127.0.0.1",
  ];
  for (const url of urls) {
    const { message } = await assertRejects(() => openBackplane(url), TypeError, undefined, url);
    assert(!message.includes("hunter2"), message);
    assertStringIncludes(message, `${url.split(":", 1)[0]}`.replace("rediss", "redis"));
  }
});

Deno.test("openBackplane() hands options on, over what the URL says", async () => {
  await using one = await openBackplane("memory:options?prefix=a:", { prefix: "b:" });
  await using two = await openBackplane("memory:options?prefix=b:");
  const heard = Promise.withResolvers<number>();
  await two.subscribe("channel", (payload) => heard.resolve(payload.length)).confirmed;
  await one.publish("channel", new Uint8Array(3));
  assertEquals(await heard.promise, 3);
  const error = await assertRejects(
    () => openBackplane("redis://127.0.0.1", { publishTimeout: -1 }),
    RangeError,
  );
  assertStringIncludes(error.message, "publishTimeout");
});
