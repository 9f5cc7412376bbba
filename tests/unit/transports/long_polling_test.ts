/**
 * Polls in memory, where time passes when the test says so; `network_test.ts` has them on every server.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Frame } from "../../../hub/protocol/frame.ts";
import { bounded } from "../../kit/wait.ts";
import { settle } from "../../kit/pipe.ts";
import { brief, OfflineEndpoint } from "./offline_endpoint.ts";

const NO_CONNECTION: [number, string] = [404, "No Connection with that ID"];

Deno.test("poll() answers the first poll at once and makes the connection with its request", async () => {
  const endpoint = new OfflineEndpoint();
  const query = `?id=${await endpoint.negotiate()}&a=1`;
  const response = await endpoint.send(query, { headers: { "x-first": "yes" } });
  assertEquals(await brief(response), [200, ""]);
  assertEquals(Object.fromEntries(response.headers), {
    "cache-control": "no-cache, no-store",
    "content-length": "0",
    "content-type": "application/octet-stream",
    "expires": "Thu, 01 Jan 1970 00:00:00 GMT",
    "pragma": "no-cache",
  });
  const { opening } = endpoint.last;
  assertEquals(opening.request.url, `http://localhost/hub${query}`);
  assertEquals(opening.request.headers.get("x-first"), "yes");
  endpoint.send(query, { headers: { "x-first": "no" } });
  assertEquals(endpoint.connections.length, 1);
  assertEquals(opening.request.headers.get("x-first"), "yes");
});

Deno.test("poll() takes everything that was written since the last poll, as one body", async () => {
  const endpoint = new OfflineEndpoint();
  const [{ pipe }, query] = await endpoint.startPolling();
  pipe.write(new Frame("a\x1e"));
  pipe.write(new Frame(new Uint8Array([0xff, 0x1e])));
  pipe.write(new Frame("ü\x1e"));
  assertEquals(pipe.bufferedBytes, 7);
  const response = await endpoint.send(query);
  assertEquals(response.headers.get("content-length"), "7");
  assertEquals(response.headers.get("content-type"), "application/octet-stream");
  assertEquals([...await response.bytes()], [0x61, 0x1e, 0xff, 0x1e, 0xc3, 0xbc, 0x1e]);
  assertEquals(pipe.bufferedBytes, 0);
});

Deno.test("poll() waits for the first write and takes what follows in the same turn", async () => {
  const endpoint = new OfflineEndpoint();
  const [{ pipe }, query] = await endpoint.startPolling();
  const poll = endpoint.send(query);
  await settle();
  pipe.write(new Frame("a\x1e"));
  pipe.write(new Frame("b\x1e"));
  assertEquals(await brief(poll), [200, "a\x1eb\x1e"]);
});

Deno.test("poll() answers an older poll 204 and serves the newer", async () => {
  const endpoint = new OfflineEndpoint();
  const [{ pipe }, query] = await endpoint.startPolling();
  const polls = [1, 2, 3].map(() => endpoint.send(query));
  assertEquals(await brief(polls[0] as Promise<Response>), [204, ""]);
  assertEquals(await brief(polls[1] as Promise<Response>), [204, ""]);
  await settle();
  pipe.write(new Frame("a\x1e"));
  assertEquals(await brief(polls[2] as Promise<Response>), [200, "a\x1e"]);
});

Deno.test("poll() answers an empty 200 after pollTimeout, and not before", async () => {
  const endpoint = new OfflineEndpoint({ longPolling: { pollTimeout: 2000 } });
  const [{ closed }, query] = await endpoint.startPolling();
  let answered = false;
  const poll = endpoint.send(query).finally(() => answered = true);
  endpoint.pass(1000);
  await settle();
  assertEquals(answered, false);
  endpoint.pass(1000);
  const response = await poll;
  assertEquals(response.headers.get("content-type"), "text/plain");
  assertEquals([await brief(response), closed], [[200, ""], false]);
});

Deno.test("close() lets the last poll take what is there, tells the next 204, and forgets", async () => {
  const endpoint = new OfflineEndpoint();
  const [connection, query] = await endpoint.startPolling();
  connection.pipe.write(new Frame("bye\x1e"));
  connection.pipe.close(1000);
  connection.pipe.write(new Frame("too late\x1e"));
  assertEquals(await brief(endpoint.send(query)), [200, "bye\x1e"]);
  assertEquals(await brief(endpoint.send(query)), [204, ""]);
  const response = await endpoint.send(query);
  assertEquals(response.headers.get("pragma"), "no-cache");
  assertEquals(await brief(response), NO_CONNECTION);
});

Deno.test("close() answers a poll that waits with what was written before it, or 204", async () => {
  const endpoint = new OfflineEndpoint();
  const [first, query] = await endpoint.startPolling();
  const poll = endpoint.send(query);
  await settle();
  first.pipe.write(new Frame("bye\x1e"));
  first.pipe.close(1000);
  assertEquals(await brief(poll), [200, "bye\x1e"]);
  const [second, other] = await endpoint.startPolling();
  const empty = endpoint.send(other);
  await settle();
  second.pipe.close(1000);
  assertEquals(await brief(empty), [204, ""]);
  assertEquals(await brief(endpoint.send(other)), NO_CONNECTION);
});

Deno.test("close() forgets a connection that is not polled any more after disconnectTimeout", async () => {
  const endpoint = new OfflineEndpoint({ disconnectTimeout: 3000 });
  const [{ pipe }, query] = await endpoint.startPolling();
  pipe.write(new Frame("bye\x1e"));
  pipe.close(1000);
  endpoint.pass(4000);
  assertEquals(await brief(endpoint.send(query)), NO_CONNECTION);
});

Deno.test("terminate() drops what was written and forgets the connection at once", async () => {
  const endpoint = new OfflineEndpoint();
  const [connection, query] = await endpoint.startPolling();
  connection.pipe.write(new Frame("x\x1e"));
  connection.pipe.terminate();
  assertEquals([connection.pipe.bufferedBytes, connection.closed], [0, true]);
  assertEquals(await brief(endpoint.send(query)), NO_CONNECTION);
});

Deno.test("tick() drops a connection that pauses longer than disconnectTimeout, and no other", async () => {
  const endpoint = new OfflineEndpoint({ disconnectTimeout: 3000 });
  const [silent, silentQuery] = await endpoint.startPolling();
  const [polled, polledQuery] = await endpoint.startPolling();
  const [waiting, waitingQuery] = await endpoint.startPolling();
  const poll = endpoint.send(waitingQuery);
  await settle();
  endpoint.pass(2000);
  polled.pipe.write(new Frame("a\x1e"));
  await endpoint.send(polledQuery);
  endpoint.pass(2000);
  assertEquals([silent.closed, polled.closed, waiting.closed], [true, false, false]);
  assertEquals(await brief(endpoint.send(silentQuery)), NO_CONNECTION);
  endpoint.table.close();
  assertEquals(await brief(poll), [204, ""]);
  assertEquals([polled.closed, waiting.closed], [true, true]);
});

Deno.test("poll() notices that the client has gone, and keeps what comes for the next", async () => {
  const endpoint = new OfflineEndpoint({ disconnectTimeout: 3000 });
  const [connection, query] = await endpoint.startPolling();
  const client = new AbortController();
  const poll = endpoint.send(query, { signal: client.signal });
  await settle();
  endpoint.pass(5000);
  client.abort();
  assertEquals((await bounded(poll)).status, 204);
  connection.pipe.write(new Frame("a\x1e"));
  await settle();
  assertEquals(await brief(endpoint.send(query)), [200, "a\x1e"]);
  endpoint.pass(4000);
  assertEquals(connection.closed, true);
});

Deno.test("poll() takes nothing for a client that has gone before", async () => {
  const endpoint = new OfflineEndpoint();
  const [{ pipe }, query] = await endpoint.startPolling();
  pipe.write(new Frame("a\x1e"));
  assertEquals((await endpoint.send(query, { signal: AbortSignal.abort() })).status, 204);
  assertEquals(await brief(endpoint.send(query)), [200, "a\x1e"]);
});

Deno.test("poll() does not take the end of its answer for the end of the client", async () => {
  const endpoint = new OfflineEndpoint();
  const [{ pipe }, query] = await endpoint.startPolling();
  const client = new AbortController();
  const poll = endpoint.send(query, { signal: client.signal });
  await settle();
  pipe.write(new Frame("a\x1e"));
  assertEquals(await brief(poll), [200, "a\x1e"]);
  const next = endpoint.send(query);
  await settle();
  // As Deno does after every answer.
  client.abort();
  pipe.write(new Frame("b\x1e"));
  assertEquals(await brief(next), [200, "b\x1e"]);
});

const LARGE = "x".repeat(300_000);

Deno.test("poll() counts what a slow client has not taken of a large answer", async () => {
  const endpoint = new OfflineEndpoint();
  const [{ pipe }, query] = await endpoint.startPolling();
  pipe.write(new Frame(LARGE));
  const response = await endpoint.send(query);
  assertEquals(response.headers.get("content-length"), "300000");
  assertEquals(pipe.bufferedBytes, 300_000);
  pipe.write(new Frame("next\x1e"));
  assertEquals(pipe.bufferedBytes, 300_005);
  // The next poll has to wait for the end of this answer.
  const next = endpoint.send(query);
  await settle();
  assertEquals(await response.text(), LARGE);
  assertEquals(await brief(next), [200, "next\x1e"]);
  assertEquals(pipe.bufferedBytes, 0);
});

Deno.test("tick() ends a connection whose large answer is stuck for transportSendTimeout", async () => {
  const endpoint = new OfflineEndpoint({ transportSendTimeout: 5000 });
  const [connection, query] = await endpoint.startPolling();
  connection.pipe.write(new Frame(LARGE));
  const response = await endpoint.send(query);
  endpoint.pass(6000);
  assertEquals(connection.closed, false);
  endpoint.pass(1000);
  assertEquals(connection.closed, true);
  // Cut: it is shorter than it said.
  assertEquals(await response.text(), "");
  assertEquals(await brief(endpoint.send(query)), NO_CONNECTION);
});

Deno.test("poll() ends the connection when a large answer is cut by the client", async () => {
  const endpoint = new OfflineEndpoint();
  const [connection, query] = await endpoint.startPolling();
  connection.pipe.write(new Frame(LARGE));
  const { body } = await endpoint.send(query);
  await body?.cancel();
  assertEquals(connection.closed, true);
  assertEquals(await brief(endpoint.send(query)), NO_CONNECTION);
});

Deno.test("DELETE ends the connection, a poll that waits, and nothing of another transport", async () => {
  const endpoint = new OfflineEndpoint();
  const unused = `?id=${await endpoint.negotiate()}`;
  const refusal = [400, "Cannot terminate this connection using the DELETE endpoint."];
  assertEquals(await brief(endpoint.send(unused, { method: "DELETE" })), refusal);
  const [events, reader, eventsQuery] = await endpoint.startEvents();
  assertEquals(await brief(endpoint.send(eventsQuery, { method: "DELETE" })), refusal);
  assertEquals(events.closed, false);
  await reader.cancel();
  const [connection, query] = await endpoint.startPolling();
  const poll = endpoint.send(query);
  await settle();
  const response = await endpoint.send(query, { method: "DELETE" });
  assertEquals(response.headers.get("content-type"), "text/plain");
  assertEquals(await brief(response), [202, ""]);
  assertEquals([connection.closed, await brief(poll)], [true, [204, ""]]);
  for (const method of ["GET", "POST", "DELETE"]) {
    assertEquals(await brief(endpoint.send(query, { method })), NO_CONNECTION, method);
  }
});
