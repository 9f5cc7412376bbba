/**
 * The endpoint without a server, in memory; `tests/nodes/wire/http_test.ts` and `transcripts_test.ts` ask the
 * same of every server.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Frame } from "../../../hub/protocol/frame.ts";
import type { HubServerOptions } from "../../../mod.ts";
import { settle } from "../../kit/pipe.ts";
import { until } from "../../kit/wait.ts";
import { brief, OfflineEndpoint, type OfflineRequest } from "./offline_endpoint.ts";

const EVENTS = { headers: { accept: "text/event-stream" } };
const SOCKET = { headers: { upgrade: "websocket", connection: "upgrade" } };
const ALL = [
  { transport: "WebSockets", transferFormats: ["Text", "Binary"] },
  { transport: "ServerSentEvents", transferFormats: ["Text"] },
  { transport: "LongPolling", transferFormats: ["Text", "Binary"] },
];

async function transportsOf(
  endpoint: OfflineEndpoint,
  request: OfflineRequest = {},
): Promise<unknown> {
  const query = "/negotiate?negotiateVersion=1";
  const response = await endpoint.send(query, { method: "POST", ...request });
  return (await response.json()).availableTransports;
}

Deno.test("negotiate() lists the transports that are served, in the order of preference", async () => {
  assertEquals(await transportsOf(new OfflineEndpoint()), ALL);
  assertEquals(
    await transportsOf(new OfflineEndpoint({ transports: ["LongPolling", "WebSockets"] })),
    [ALL[0], ALL[2]],
  );
  assertEquals(await transportsOf(new OfflineEndpoint({ transports: [] })), []);
});

Deno.test("answer() neither offers nor takes WebSockets that the HTTP server cannot serve", async () => {
  const endpoint = new OfflineEndpoint();
  assertEquals(await transportsOf(endpoint, { accept: "none" }), ALL.slice(1));
  for (const query of ["", `?id=${await endpoint.negotiate()}`]) {
    assertEquals(await brief(endpoint.send(query, { ...SOCKET, accept: "none" })), [
      404,
      "WebSockets transport not supported by this end point type",
    ]);
  }
});

Deno.test("answer() refuses negotiate version 0, in which the public id would be the secret", async () => {
  const error = "The client requested version '0', but the server does not support this version.";
  for (const query of ["/negotiate", "/negotiate?negotiateVersion=0"]) {
    const answer = new OfflineEndpoint().send(query, { method: "POST" });
    assertEquals(await brief(answer), [200, JSON.stringify({ error })]);
  }
});

Deno.test("answer() knows a connection only at the hub that it was negotiated with", async () => {
  const endpoint = new OfflineEndpoint();
  const other = { hub: { name: "other" } };
  const [polling, polls] = await endpoint.startPolling();
  const [streaming, reader, events] = await endpoint.startEvents();
  const requests: readonly OfflineRequest[] = [
    ...[{}, EVENTS, SOCKET, { method: "DELETE" }],
    { method: "POST", body: "x" },
  ];
  for (const query of [polls, events, `?id=${await endpoint.negotiate()}`]) {
    for (const request of requests) {
      const answer = endpoint.send(query, { ...request, ...other });
      assertEquals(await brief(answer), [404, "No Connection with that ID"]);
    }
  }
  assertEquals([polling.text, polling.closed, streaming.closed], ["", false, false]);
  assertEquals((await endpoint.send(polls, { method: "DELETE" })).status, 202);
  await reader.cancel();
});

Deno.test("answer() refuses a transport that is not served, before anything is made", async () => {
  const endpoint = new OfflineEndpoint({ transports: [] });
  const query = `?id=${await endpoint.negotiate()}`;
  const cases: readonly (readonly [OfflineRequest, string])[] = [
    [SOCKET, "WebSockets"],
    [EVENTS, "ServerSentEvents"],
    [{}, "LongPolling"],
  ];
  for (const [request, name] of cases) {
    const refusal = [404, `${name} transport not supported by this end point type`];
    assertEquals(await brief(endpoint.send(query, request)), refusal);
  }
  assertEquals(
    await brief(endpoint.send("", SOCKET)),
    [404, "WebSockets transport not supported by this end point type"],
  );
  assertEquals(endpoint.connections, []);
});

Deno.test("answer() wants an id that it knows, of every request but a WebSocket's", async () => {
  const endpoint = new OfflineEndpoint();
  for (const request of [EVENTS, {}, { method: "POST" }, { method: "DELETE" }]) {
    for (const query of ["", "?id=", "?other=1"]) {
      assertEquals(await brief(endpoint.send(query, request)), [400, "Connection ID required"]);
    }
    assertEquals(
      await brief(endpoint.send("?id=unknown", request)),
      [404, "No Connection with that ID"],
    );
  }
  const response = await endpoint.send("?id=unknown", SOCKET);
  assertEquals(response.headers.get("content-type"), null);
  assertEquals(await brief(response), [404, "No Connection with that ID"]);
  for (const method of ["PUT", "HEAD", "OPTIONS", "PATCH"]) {
    assertEquals((await endpoint.send("?id=unknown", { method })).status, 405);
  }
});

Deno.test("answer() keeps a connection to its first transport", async () => {
  const endpoint = new OfflineEndpoint();
  const changed = [400, "Cannot change transports mid-connection"];
  const [, polls] = await endpoint.startPolling();
  assertEquals(await brief(endpoint.send(polls, EVENTS)), changed);
  assertEquals(await brief(endpoint.send(polls, SOCKET)), changed);
  const [stream, reader, events] = await endpoint.startEvents();
  const poll = await endpoint.send(events);
  assertEquals(poll.headers.get("cache-control"), "no-cache, no-store");
  assertEquals(await brief(poll), changed);
  assertEquals(await brief(endpoint.send(events, SOCKET)), changed);
  const second = await endpoint.send(events, EVENTS);
  assertEquals(second.headers.get("content-type"), "text/plain");
  assertEquals(await brief(second), [409, ""]);
  assertEquals([stream.closed, endpoint.connections.length], [false, 2]);
  await reader.cancel();
});

Deno.test("answer() refuses requests of another user, whoever came first", async () => {
  const endpoint = new OfflineEndpoint();
  const refusal = [403, "The user associated with this connection changed."];
  for (const [first, others] of [["ann", ["bob", undefined]], [undefined, ["bob"]]] as const) {
    const user = (userId: string | undefined) => userId === undefined ? {} : { userId };
    const query = `?id=${await endpoint.negotiate()}`;
    assertEquals((await endpoint.send(query, { method: "POST", ...user(first) })).status, 200);
    for (const other of others) {
      const requests = [EVENTS, {}, { method: "POST" }];
      for (const request of requests) {
        const answer = endpoint.send(query, { ...request, ...user(other) });
        assertEquals(await brief(answer), refusal);
      }
    }
    assertEquals((await endpoint.send(query, user(first))).status, 200);
    const poll = endpoint.send(query, user(first));
    await settle();
    for (const other of others) {
      for (const method of ["GET", "POST", "DELETE"]) {
        const answer = endpoint.send(query, { method, ...user(other) });
        assertEquals(await brief(answer), refusal);
      }
    }
    // What another user tries does not end the poll of the first.
    endpoint.last.pipe.write(new Frame("a\x1e"));
    assertEquals(await brief(poll), [200, "a\x1e"]);
  }
});

Deno.test("answer() takes nothing new while the server does not admit, and serves what is there", async () => {
  const endpoint = new OfflineEndpoint();
  const [polling, polls] = await endpoint.startPolling();
  const [stream, reader, events] = await endpoint.startEvents();
  const negotiated = `?id=${await endpoint.negotiate()}`;
  const late = { admitting: false };
  assertEquals((await endpoint.send("/negotiate", { method: "POST", ...late })).status, 503);
  for (const query of [negotiated, "?id=unknown"]) {
    for (const request of [EVENTS, SOCKET, {}, { method: "POST" }, { method: "DELETE" }]) {
      assertEquals((await endpoint.send(query, { ...request, ...late })).status, 503);
    }
  }
  assertEquals((await endpoint.send("", { ...SOCKET, ...late })).status, 503);
  assertEquals((await endpoint.send(polls, { method: "POST", body: "a", ...late })).status, 200);
  assertEquals((await endpoint.send(events, { method: "POST", body: "b", ...late })).status, 200);
  assertEquals([polling.text, stream.text], ["a", "b"]);
  polling.pipe.write(new Frame("c\x1e"));
  assertEquals(await brief(endpoint.send(polls, late)), [200, "c\x1e"]);
  assertEquals((await endpoint.send(polls, { method: "DELETE", ...late })).status, 202);
  await reader.cancel();
});

Deno.test("answer() lets no page open a WebSocket from an origin that is not listed", async () => {
  const endpoint = new OfflineEndpoint({
    webSockets: { allowedOrigins: ["https://app.example"] },
    transports: ["WebSockets"],
  });
  const status = async (origin: string | undefined) => {
    const headers = { ...SOCKET.headers, ...(origin === undefined ? {} : { origin }) };
    const response = await endpoint.send("", { headers });
    return [response.status, response.headers.get("content-type")];
  };
  for (
    const origin of [
      "https://other.example",
      "http://app.example",
      "https://app.example:444",
      "null",
    ]
  ) {
    assertEquals(await status(origin), [403, null], origin);
  }
  // These pass; there is no socket here to upgrade.
  for (const origin of ["https://app.example", undefined]) {
    assertEquals(await status(origin), [400, "text/plain"], origin);
  }
});

/** What a page of `origin` is answered that asks for a WebSocket; 400 if it may have one. */
async function opening(
  options: HubServerOptions,
  headers: Record<string, string>,
): Promise<number> {
  const endpoint = new OfflineEndpoint(options);
  return (await endpoint.send("", { headers: { ...SOCKET.headers, ...headers } })).status;
}

Deno.test("answer() lets pages of its own host open a WebSocket by default, and no other page", async () => {
  const cases: readonly (readonly [status: number, Record<string, string>])[] = [
    [400, { host: "app.example" }],
    [400, { host: "app.example", origin: "https://app.example" }],
    // A proxy has ended TLS.
    [400, { host: "app.example:443", origin: "https://app.example" }],
    [400, { host: "APP.example:8443", origin: "https://app.example:8443" }],
    [400, { host: "10.0.0.7", "x-forwarded-host": "app.example", origin: "https://app.example" }],
    [400, { host: "[::1]:8000", origin: "http://[::1]:8000" }],
    [403, { host: "app.example", origin: "https://evil.example" }],
    [403, { host: "app.example", origin: "https://app.example.evil.example" }],
    [403, { host: "app.example", origin: "https://app.example:8443" }],
    [403, { host: "app.example:80", origin: "https://app.example" }],
    [403, { host: "app.example", origin: "null" }],
    [403, { host: "", origin: "null" }],
    [403, { host: "app.example", origin: "file://" }],
    [403, { host: "localhost", origin: "tauri://localhost" }],
    [403, { host: "evil.example@app.example", origin: "https://evil.example" }],
    [403, { origin: "https://evil.example" }],
  ];
  for (const [status, headers] of cases) {
    assertEquals(await opening({}, headers), status, JSON.stringify(headers));
  }
});

Deno.test("answer() lets pages of the origins of cors open a WebSocket, and those that are told apart", async () => {
  const [own, page, evil] = ["https://app.example", "https://page.example", "https://evil.example"];
  const cases: readonly (readonly [HubServerOptions, readonly number[]])[] = [
    [{ cors: { origins: [page] } }, [400, 400, 403]],
    [{ cors: { origins: "*" } }, [400, 400, 400]],
    [{ webSockets: { allowedOrigins: "*" } }, [400, 400, 400]],
    [{ webSockets: { allowedOrigins: [evil] }, cors: { origins: [page] } }, [403, 403, 400]],
    [{ webSockets: { allowedOrigins: [] } }, [403, 403, 403]],
  ];
  for (const [options, expected] of cases) {
    const statuses: number[] = [];
    for (const origin of [own, page, evil]) {
      statuses.push(await opening(options, { host: "app.example", origin }));
    }
    assertEquals(statuses, expected, JSON.stringify(options));
  }
});

Deno.test("answer() says once a minute that a page of another site was refused", async () => {
  const endpoint = new OfflineEndpoint();
  const headers = { ...SOCKET.headers, host: "app.example", origin: `https://${"e".repeat(9000)}` };
  for (let time = 0; time < 100; time++) await endpoint.send("", { headers });
  const [line = "", ...more] = endpoint.log.lines;
  assertMatch(line, /^warn A page of the origin "https:.* host "app.example": .*allowedOrigins/);
  assertEquals([line.length < 500, more], [true, []]);
});

Deno.test("tick() and close() forget many connections in bounded turns", async () => {
  const endpoint = new OfflineEndpoint();
  const count = 2000;
  let begun = 0;
  const begin = () =>
    Array.from({ length: count }, () => {
      const id = `c${++begun}`;
      return endpoint.table.begin(endpoint, `token ${id}`, { id, stateful: false }).token;
    });
  const left = (tokens: readonly string[]) =>
    tokens.filter((token) => endpoint.table.find(endpoint, token) !== undefined).length;
  const expiring = begin();
  endpoint.clock.advance(20_000);
  endpoint.table.tick();
  const afterTick = left(expiring);
  assert(afterTick >= count - 300 && afterTick < count, `${afterTick} are left after one turn`);
  await until(() => left(expiring) === 0);
  const closing = begin();
  const closed = endpoint.table.close();
  const afterClose = left(closing);
  assert(afterClose >= count - 300 && afterClose < count, `${afterClose} are left after one turn`);
  await closed;
  assertEquals(left(closing), 0);
});
