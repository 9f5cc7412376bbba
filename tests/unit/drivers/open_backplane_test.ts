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

Deno.test("openBackplane() opens a list as one backplane, and each driver takes its own options", async () => {
  const port = freePort();
  await using several = await openBackplane(
    ["memory:list?prefix=a:", new URL(`nats://127.0.0.1:${port}`)],
    { prefix: "b:", servers: [`127.0.0.1:${port}`], logger: { error() {}, warn() {} } },
  );
  assertEquals(several.constructor.name, "SeveralBackplanes");
  await using other = await openBackplane("memory:list?prefix=b:");
  const heard = Promise.withResolvers<number>();
  await other.subscribe("channel", (payload) => heard.resolve(payload.length)).confirmed;
  await several.publish("channel", new Uint8Array(3));
  assertEquals(await heard.promise, 3);
});

Deno.test("openBackplane() opens a list of one URL as that URL", async () => {
  await using backplane = await openBackplane(["memory:"]);
  assertEquals(backplane.constructor.name, "MemoryBackplane");
});

Deno.test("openBackplane() refuses lists that are no two to four buses, and never tells the password", async () => {
  const nested = [["memory:a"], "memory:b"] as unknown as string[];
  const cases: readonly (readonly [string[], string])[] = [
    [[], "the list has no URL"],
    [["a", "b", "c", "d", "e"], "the list has 5 URLs, more than 4"],
    [nested, "item 1 of the list is not a URL"],
    [["memory:a", null as unknown as string], "item 2 of the list is not a URL"],
    [["memory:a", "MEMORY:a"], "URLs 1 and 2"],
    [["memory:a", "broadcast:a", "memory:a?prefix=x:", "broadcast:a"], "URLs 2 and 4"],
    [["redis://ann:hunter2@Host", "rediss://host:6379/1"], "URLs 1 and 2"],
    [["nats://ann:hunter2@a:1,b", "redis://b", "tls://b:4222,c"], "URLs 1 and 3"],
    [["memory:a", "redis://ann:hunter2@host:port"], "Redis URL"],
    [["redis://127.0.0.1:1", "http://ann:hunter2@host"], "its scheme is http:"],
  ];
  for (const [urls, text] of cases) {
    const { message } = await assertRejects(() => openBackplane(urls), TypeError, text);
    assert(!message.includes("hunter2"), message);
  }
  const servers = { servers: ["c"] };
  await assertRejects(() => openBackplane(["nats://a", "nats://b"], servers), TypeError, "URLs 1");
  await assertRejects(() => openBackplane("redis://a,redis://b"), TypeError);
  await assertRejects(() => openBackplane("memory:a,memory:b?x"), TypeError);
  await assertRejects(
    () => openBackplane(5 as unknown as string),
    TypeError,
    "not a URL or a list",
  );
});

Deno.test("openBackplane() takes one bus twice with two prefixes", async () => {
  await using backplane = await openBackplane(["memory:a?prefix=x:", "memory:a?prefix=y:"]);
  assertEquals(backplane.status, "open");
});
