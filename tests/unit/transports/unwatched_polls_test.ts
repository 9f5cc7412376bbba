/**
 * Polls at a server that says nothing of a client that goes, as Deno's own: an answer begins before there
 * is anything to send, and its body shows that the client has gone.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Frame } from "../../../hub/protocol/frame.ts";
import { acceptWebSocket } from "../../../hub/transports/websocket.ts";
import { bounded } from "../../kit/wait.ts";
import { settle } from "../../kit/pipe.ts";
import { brief, OfflineEndpoint } from "./offline_endpoint.ts";

const NO_CONNECTION: [number, string] = [404, "No Connection with that ID"];

/** More than a system takes at once. */
const LARGE = "x".repeat(300_000);

/** A server that says nothing of a client that goes, as Deno's own. */
const UNWATCHED = { accept: acceptWebSocket };

/** A connection whose poll waits at a server that says nothing of its client, and has begun. */
async function startUnwatched(endpoint: OfflineEndpoint) {
  const [connection, query] = await endpoint.startPolling();
  const poll = endpoint.send(query, UNWATCHED);
  await settle();
  endpoint.pass(1000);
  const response = await bounded(poll);
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "application/octet-stream");
  assertEquals(response.headers.get("content-length"), null);
  return { connection, query, response };
}

Deno.test("poll() begins an answer whose client may go unnoticed, and sends what comes later", async () => {
  const endpoint = new OfflineEndpoint();
  const { connection: { pipe }, query, response } = await startUnwatched(endpoint);
  pipe.write(new Frame("a\x1e"));
  pipe.write(new Frame("b\x1e"));
  assertEquals(await bounded(response.text()), "a\x1eb\x1e");
  pipe.write(new Frame(LARGE));
  assertEquals(await bounded((await endpoint.send(query, UNWATCHED)).text()), LARGE);
});

Deno.test("poll() notices by the body that the client has gone, and keeps what comes for the next", async () => {
  const endpoint = new OfflineEndpoint({ disconnectTimeout: 3000 });
  const { connection, query, response } = await startUnwatched(endpoint);
  await response.body?.cancel();
  connection.pipe.write(new Frame("a\x1e"));
  await settle();
  assertEquals(await brief(endpoint.send(query, UNWATCHED)), [200, "a\x1e"]);
  endpoint.pass(4000);
  assertEquals(connection.closed, true);
});

Deno.test("poll() ends an answer that has begun after pollTimeout, and for a newer poll", async () => {
  const endpoint = new OfflineEndpoint({ longPolling: { pollTimeout: 5000 } });
  const { query, response } = await startUnwatched(endpoint);
  endpoint.pass(5000);
  assertEquals(await bounded(response.text()), "");
  const older = endpoint.send(query, UNWATCHED);
  await settle();
  endpoint.pass(1000);
  const { body } = await bounded(older);
  const newer = endpoint.send(query, UNWATCHED);
  await settle();
  assertEquals(await bounded(new Response(body).text()), "");
  endpoint.last.pipe.write(new Frame("a\x1e"));
  assertEquals(await brief(newer), [200, "a\x1e"]);
});

Deno.test("poll() says with the poll after an answer that had begun that the connection has ended", async () => {
  const endpoint = new OfflineEndpoint();
  const { connection, query, response } = await startUnwatched(endpoint);
  connection.pipe.close(1000);
  assertEquals(await bounded(response.text()), "");
  assertEquals(await brief(endpoint.send(query, UNWATCHED)), [204, ""]);
  assertEquals(await brief(endpoint.send(query, UNWATCHED)), NO_CONNECTION);
});

Deno.test("poll() ends an answer that has begun when the connection is deleted or forgotten", async () => {
  for (const end of ["delete", "close"] as const) {
    const endpoint = new OfflineEndpoint();
    const { connection, query, response } = await startUnwatched(endpoint);
    if (end === "delete") await endpoint.send(query, { method: "DELETE" });
    else await endpoint.table.close();
    assertEquals(await bounded(response.text()), "");
    assertEquals(connection.closed, true);
    assertEquals(await brief(endpoint.send(query)), NO_CONNECTION);
  }
});

Deno.test("poll() never reads the signal of a request to Deno's own server, which would warn", async () => {
  const endpoint = new OfflineEndpoint();
  const [, query] = await endpoint.startPolling();
  let read = 0;
  const { prototype } = Request;
  const signal = Object.getOwnPropertyDescriptor(prototype, "signal");
  Object.defineProperty(prototype, "signal", {
    configurable: true,
    get: () => (read++, new AbortController().signal),
  });
  try {
    await endpoint.send(query, { method: "POST", body: "x", ...UNWATCHED });
    endpoint.send(query, UNWATCHED);
    await settle();
    endpoint.pass(2000);
    await endpoint.send(query, { method: "DELETE", ...UNWATCHED });
  } finally {
    Object.defineProperty(prototype, "signal", signal ?? {});
  }
  assertEquals(read, 0);
});
