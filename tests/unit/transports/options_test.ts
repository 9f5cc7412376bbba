/**
 * What options resolve to; no server is involved.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { type HubServerOptions, resolveOptions } from "../../../hub/options/server.ts";

Deno.test("resolveOptions() serves every transport to pages of this origin alone by default", () => {
  const { transports, webSockets, longPolling, cors, transportSendTimeout } = resolveOptions({});
  assertEquals(transports, ["WebSockets", "ServerSentEvents", "LongPolling"]);
  assertEquals(webSockets, { allowedOrigins: undefined });
  assertEquals(longPolling, { pollTimeout: 90_000 });
  assertEquals([cors, transportSendTimeout], [undefined, 10_000]);
});

Deno.test("resolveOptions() gives credentials to listed origins unless told otherwise, never to all", () => {
  const origins = ["https://app.example", "http://localhost:3000", "tauri://localhost"];
  assertEquals(resolveOptions({ cors: { origins } }).cors, {
    origins: new Set(origins),
    credentials: true,
  });
  assertEquals(resolveOptions({ cors: { origins, credentials: false } }).cors?.credentials, false);
  assertEquals(resolveOptions({ cors: { origins: "*" } }).cors, {
    origins: "*",
    credentials: false,
  });
});

Deno.test("resolveOptions() refuses what cannot work, and says which option and value", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [
      { transports: ["WebSocket"] },
      'Cannot use transports: "WebSocket" is not one of WebSockets, ServerSentEvents, LongPolling',
    ],
    [{ transports: "WebSockets" }, "Cannot use transports: it is not an array"],
    [
      { cors: { origins: "*", credentials: true } },
      'Cannot use cors: origins "*" and credentials exclude each other',
    ],
    [{ cors: { origins: "https://app.example" } }, "Cannot use cors.origins: it is not an array"],
    [{ cors: {} }, "Cannot use cors.origins: it is not an array"],
    [
      { webSockets: { allowedOrigins: "https://app.example" } },
      "Cannot use webSockets.allowedOrigins: it is not an array",
    ],
  ];
  for (const [options, message] of cases) {
    assertThrows(() => resolveOptions(options as HubServerOptions), TypeError, message);
  }
});

Deno.test("resolveOptions() refuses what no browser sends as an origin", () => {
  const wrong = [
    "https://app.example/",
    "https://APP.example",
    "https://app.example:443",
    "http://app.example:80",
    "app.example",
    "https://*.example",
    "https://user@app.example",
    "null",
    "*",
    "",
    undefined,
    7,
  ];
  for (const origin of wrong) {
    for (
      const [option, options] of [
        ["cors.origins", { cors: { origins: [origin] } }],
        ["webSockets.allowedOrigins", { webSockets: { allowedOrigins: [origin] } }],
      ] as const
    ) {
      assertThrows(
        () => resolveOptions(options as HubServerOptions),
        TypeError,
        `Cannot use ${option}: ${JSON.stringify(origin)} is not an origin such as`,
      );
    }
  }
});

Deno.test("resolveOptions() names the value and range of a time that is out of it", () => {
  for (const value of [0, -1, 2 ** 31, 1.5, NaN, Infinity]) {
    assertThrows(
      () => resolveOptions({ longPolling: { pollTimeout: value } }),
      RangeError,
      `Cannot use longPolling.pollTimeout: ${value} is not an integer between 1 and 2147483647`,
    );
    assertThrows(
      () => resolveOptions({ transportSendTimeout: value }),
      RangeError,
      `Cannot use transportSendTimeout: ${value} is not an integer between 1 and 2147483647`,
    );
  }
});
