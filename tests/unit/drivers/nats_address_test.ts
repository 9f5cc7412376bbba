import { assert, assertEquals, assertThrows } from "@std/assert";
import { readNatsAddress } from "../../../backplanes/nats/address.ts";
import { NatsBackplane, type NatsBackplaneOptions } from "../../../backplanes/nats.ts";

Deno.test("readNatsAddress() reads every part of a URL", () => {
  for (
    const [url, expected] of [
      ["nats://a", { servers: [{ host: "a", port: 4222 }], credentials: {}, prefix: "" }],
      ["NATS://a:1/", { servers: [{ host: "a", port: 1 }], credentials: {}, prefix: "" }],
      [new URL("nats://u:p@a:1/?prefix=x"), {
        servers: [{ host: "a", port: 1 }],
        credentials: { user: "u", pass: "p" },
        prefix: "x.",
      }],
      ["nats://s3cr%40t@a,b:2,[::1]:3?prefix=acme.chat", {
        servers: [{ host: "a", port: 4222 }, { host: "b", port: 2 }, { host: "::1", port: 3 }],
        credentials: { token: "s3cr@t" },
        prefix: "acme.chat.",
      }],
      ["tls://u:@a", {
        servers: [{ host: "a", port: 4222 }],
        credentials: { user: "u", pass: "" },
        tls: {},
        prefix: "",
      }],
    ] as const
  ) assertEquals<unknown>(readNatsAddress(url, {}), expected);
});

Deno.test("readNatsAddress() lets options override the URL", () => {
  const read = (url: string, options: NatsBackplaneOptions) => readNatsAddress(url, options);
  assertEquals(read("nats://u:p@a", { password: "q" }).credentials, { user: "u", pass: "q" });
  assertEquals(read("nats://u:p@a", { user: "v", password: "q" }).credentials, {
    user: "v",
    pass: "q",
  });
  assertEquals(read("nats://u:p@a", { token: "t" }).credentials, { token: "t" });
  assertEquals(read("nats://t@a", { user: "u" }).credentials, { user: "u" });
  assertEquals(read("nats://a?prefix=x", { prefix: "y" }).prefix, "y.");
  assertEquals(read("nats://a", { servers: ["b:1"] }).servers, [
    { host: "a", port: 4222 },
    { host: "b", port: 1 },
  ]);
  assertEquals(read("nats://a", { tls: { ca: "c" } }).tls, { ca: "c" });
});

Deno.test("NatsBackplane refuses a malformed URL without showing any of it", () => {
  for (
    const url of [
      "",
      "nats:",
      "nats://",
      "nats://u:s3cret@",
      "redis://u:s3cret@a",
      "nats://u:s3cret@a:0",
      "nats://u:s3cret@a:65536",
      "nats://u:s3cret@a:b",
      "nats://u:s3/cret@a",
      "nats://u:s3?cret@a",
      "nats://u:s3cret%@a",
      "nats://:s3cret@a",
      "nats://u:s3cret@a,",
      "nats://u:s3cret@a b",
      "nats://u:s3cret@a/path",
      "nats://u:s3cret@a#fragment",
      "nats://u:s3cret@a?perfix=s3cret",
      "nats://u:s3cret@a?prefix=a&prefix=b",
    ]
  ) {
    const error = assertThrows(
      () => new NatsBackplane(url),
      TypeError,
      "Cannot read NATS URL",
      url,
    );
    assert(!/s3|cret/.test(error.message), error.message);
  }
});

Deno.test("NatsBackplane refuses options that contradict each other or are out of range", () => {
  const open = (options: NatsBackplaneOptions) => new NatsBackplane("nats://127.0.0.1", options);
  assertThrows(() => open({ token: "t", user: "u" }), TypeError, "Cannot use token");
  assertThrows(() => open({ password: "p" }), TypeError, "Cannot use password");
  assertThrows(() => open({ tls: { cert: "c" } }), TypeError, "Cannot use tls");
  assertThrows(() => open({ servers: ["u:s3cret@b"] }), TypeError, "a server is not host[:port]");
  assertThrows(() => open({ prefix: "a".repeat(1025) }), RangeError, "Cannot use prefix");
  assertThrows(() => open({ publishTimeout: 0 }), RangeError, "publishTimeout: 0");
  assertThrows(() => open({ probeInterval: 9 }), RangeError, "probeInterval: 9");
});
