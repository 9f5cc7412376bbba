import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { resolveRedisSettings } from "../../../backplanes/redis/settings.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";

Deno.test("resolveRedisSettings() reads every part of a URL", () => {
  const url = "redis://ann%40home:p%2Fw%3A@redis.example:7000/3?prefix=app%3A%20%F0%9F%9A%80";
  const { connection, prefix, address } = resolveRedisSettings(url);
  assertEquals(connection, {
    host: "redis.example",
    port: 7000,
    username: "ann@home",
    password: "p/w:",
  });
  assertEquals(prefix, "app: 🚀");
  assertEquals(address, "redis.example:7000");
});

Deno.test("resolveRedisSettings() fills in what a URL leaves out", () => {
  const { connection, prefix, publishTimeout } = resolveRedisSettings(new URL("redis://localhost"));
  assertEquals(connection, { host: "localhost", port: 6379 });
  assertEquals(prefix, "");
  assertEquals(publishTimeout, 5000);
});

Deno.test("resolveRedisSettings() takes an IPv6 address, a password alone and TLS", () => {
  const { connection, address } = resolveRedisSettings("rediss://:secret@[::1]:7000");
  assertEquals(connection, { host: "::1", port: 7000, password: "secret", tls: {} });
  assertEquals(address, "[::1]:7000");
});

Deno.test("resolveRedisSettings() lets the options override the URL", () => {
  const { connection, prefix } = resolveRedisSettings("redis://ann:old@localhost?prefix=a:", {
    username: "bob",
    password: "new",
    prefix: "b:",
    tls: { ca: ["one", "two"], rejectUnauthorized: true },
  });
  assertEquals(connection, {
    host: "localhost",
    port: 6379,
    username: "bob",
    password: "new",
    tls: { ca: ["one", "two"], rejectUnauthorized: true },
  });
  assertEquals(prefix, "b:");
});

for (
  const [why, url] of [
    ["malformed", "redis//:secret@localhost"],
    ["malformed", "redis://:secret@localhost:port"],
    ["malformed", "redis://:secret@localhost?prefix=%FF"],
    ["scheme is http:", "http://:secret@localhost"],
    ["no host", "redis:///0?prefix=secret"],
    ["not a database number", "redis://:secret@localhost/secret"],
    ["fragment", "redis://:secret@localhost#secret"],
    ["two prefixes", "redis://:secret@localhost?prefix=a&prefix=secret"],
    ['"preffix" is not known', "redis://:secret@localhost?preffix=secret"],
    ["not percent-encoded", "redis://:secret%@localhost"],
  ] as const
) {
  Deno.test(`RedisBackplane refuses ${url} without printing what is secret`, () => {
    const error = assertThrows(() => new RedisBackplane(url), TypeError, why);
    assert(!Deno.inspect(error).replaceAll(import.meta.filename ?? "", "").includes("secret"));
  });
}

Deno.test("RedisBackplane refuses a prefix with a lone surrogate", () => {
  assertThrows(
    () => new RedisBackplane("redis://localhost", { prefix: "\ud800" }),
    TypeError,
    "lone surrogate",
  );
});

Deno.test("RedisBackplane names the option that is out of its range", () => {
  const error = assertThrows(
    () => new RedisBackplane("redis://localhost", { publishTimeout: 0 }),
    RangeError,
  );
  assertStringIncludes(error.message, "publishTimeout: 0 is not between 1 and 600000 ms");
});
