/**
 * Posts without a server, in memory, where a body comes as the test says; `network_test.ts` has them on
 * every server.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { settle } from "../../kit/pipe.ts";
import { brief, OfflineEndpoint } from "./offline_endpoint.ts";

const encoder = new TextEncoder();

/** A body that comes when the test says so. */
class SlowBody {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Whether the server has lost interest. */
  cancelled = false;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;

  constructor() {
    this.stream = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
      cancel: () => void (this.cancelled = true),
    });
  }

  async send(text: string): Promise<void> {
    this.#controller?.enqueue(encoder.encode(text));
    await settle();
  }

  async end(): Promise<void> {
    this.#controller?.close();
    await settle();
  }

  async fail(): Promise<void> {
    this.#controller?.error(new Error("the client has gone"));
    await settle();
  }
}

/** What has become of a request. */
function watch(response: Promise<Response>): { status: number | undefined } {
  const watched: { status: number | undefined } = { status: undefined };
  response.then(({ status }) => watched.status = status);
  return watched;
}

const CHUNKED = { "transfer-encoding": "chunked" };

Deno.test("take() hands a body over piece by piece and answers when all is there", async () => {
  const endpoint = new OfflineEndpoint();
  const [connection, query] = await endpoint.startPolling();
  const body = new SlowBody();
  const response = endpoint.send(query, { method: "POST", body: body.stream });
  const watched = watch(response);
  await body.send('{"type"');
  assertEquals([connection.text, watched.status], ['{"type"', undefined]);
  await body.send(":6}\x1e");
  assertEquals([connection.text, watched.status], ['{"type":6}\x1e', undefined]);
  await body.end();
  assertEquals(watched.status, 200);
  assertEquals((await response).headers.get("content-type"), "text/plain");
  assertEquals(await brief(response), [200, ""]);
  assertEquals(await brief(endpoint.send(query, { method: "POST" })), [200, ""]);
});

Deno.test("take() takes bodies of one connection one after the other, in their order", async () => {
  const endpoint = new OfflineEndpoint();
  const [connection, query] = await endpoint.startPolling();
  const [other, otherQuery] = await endpoint.startPolling();
  const bodies = [new SlowBody(), new SlowBody(), new SlowBody()];
  const answers = bodies.map(({ stream }) =>
    watch(endpoint.send(query, { method: "POST", body: stream }))
  );
  await bodies[2]?.send("3");
  await bodies[1]?.send("2");
  await bodies[1]?.end();
  await bodies[2]?.end();
  assertEquals(connection.text, "");
  // Another connection does not wait for this one.
  assertEquals((await endpoint.send(otherQuery, { method: "POST", body: "x" })).status, 200);
  assertEquals(other.text, "x");
  await bodies[0]?.send("1");
  assertEquals([connection.text, answers[1]?.status], ["1", undefined]);
  await bodies[0]?.end();
  assertEquals(connection.text, "123");
  assertEquals(answers.map(({ status }) => status), [200, 200, 200]);
});

Deno.test("take() answers 400 when a body breaks off, and goes on with the next", async () => {
  const endpoint = new OfflineEndpoint();
  const [connection, query] = await endpoint.startPolling();
  const body = new SlowBody();
  const broken = watch(endpoint.send(query, { method: "POST", body: body.stream }));
  const next = watch(endpoint.send(query, { method: "POST", body: "next" }));
  await body.send("half");
  await body.fail();
  await settle();
  assertEquals([broken.status, next.status, connection.text], [400, 200, "halfnext"]);
});

Deno.test("pause() holds a body, its answer and those behind it until resume()", async () => {
  const endpoint = new OfflineEndpoint();
  for (const [connection, query] of [await endpoint.startPolling(), await startEvents(endpoint)]) {
    connection.onChunk = (text) => text === "full" && connection.pipe.pause();
    const body = new SlowBody();
    const held = watch(endpoint.send(query, { method: "POST", body: body.stream }));
    const behind = watch(endpoint.send(query, { method: "POST", body: "behind" }));
    await body.send("full");
    await body.send("more");
    await body.end();
    assertEquals([connection.text, held.status, behind.status], ["full", undefined, undefined]);
    connection.pipe.resume();
    await settle();
    assertEquals([connection.text, held.status, behind.status], ["fullmorebehind", 200, 200]);
  }
  endpoint.table.close();
});

async function startEvents(endpoint: OfflineEndpoint) {
  const [connection, , query] = await endpoint.startEvents();
  return [connection, query] as const;
}

Deno.test("take() answers 200 when the hub ends the connection because of the body", async () => {
  const endpoint = new OfflineEndpoint();
  const [connection, query] = await startEvents(endpoint);
  connection.onChunk = () => connection.pipe.close(1000);
  const body = new SlowBody();
  const answer = watch(endpoint.send(query, { method: "POST", body: body.stream }));
  const behind = watch(endpoint.send(query, { method: "POST", body: "behind" }));
  await body.send("the last");
  // The rest is not waited for.
  assertEquals(answer.status, 200);
  assertEquals([behind.status, connection.text], [404, "the last"]);
});

Deno.test("take() lets everything go when the connection ends while bodies trickle in", async () => {
  const endpoint = new OfflineEndpoint();
  const [connection, query] = await endpoint.startPolling();
  connection.onChunk = (text) => text === "full" && connection.pipe.pause();
  const bodies = [new SlowBody(), new SlowBody(), new SlowBody()];
  const answers = bodies.map(({ stream }) =>
    watch(endpoint.send(query, { method: "POST", body: stream }))
  );
  await settle();
  await endpoint.send(query, { method: "DELETE" });
  await settle();
  assertEquals(answers.map(({ status }) => status), [404, 404, 404]);
  // What still comes is not read on.
  await bodies[0]?.send("late");
  assertEquals([bodies[0]?.cancelled, connection.text], [true, ""]);
  // Held by the hub: it has what was sent.
  const [held, heldQuery] = await endpoint.startPolling();
  held.onChunk = () => held.pipe.pause();
  const answer = watch(endpoint.send(heldQuery, { method: "POST", body: "full" }));
  await settle();
  assertEquals(answer.status, undefined);
  await endpoint.send(heldQuery, { method: "DELETE" });
  await settle();
  assertEquals(answer.status, 200);
});

Deno.test("take() buffers what comes before the first poll, and hands it over with it", async () => {
  const endpoint = new OfflineEndpoint();
  const query = `?id=${await endpoint.negotiate()}`;
  for (const body of ["one ", "two "]) {
    const headers = { "content-length": `${body.length}` };
    assertEquals((await endpoint.send(query, { method: "POST", body, headers })).status, 200);
  }
  assertEquals(endpoint.connections.length, 0);
  await endpoint.send(query);
  assertEquals(endpoint.last.text, "one two ");
});

Deno.test("take() holds what is more than a handshake before the first poll or stream", async () => {
  for (const accept of ["*/*", "text/event-stream"]) {
    const endpoint = new OfflineEndpoint();
    const query = `?id=${await endpoint.negotiate()}`;
    const large = "x".repeat(3000);
    const post = (body: BodyInit, headers: Record<string, string>) =>
      watch(endpoint.send(query, { method: "POST", body, headers }));
    const first = post(large, { "content-length": "3000" });
    const second = post(large, { "content-length": "3000" });
    const third = post(new SlowBody().stream, CHUNKED);
    await settle();
    assertEquals([first.status, second.status, third.status], [200, undefined, undefined]);
    const { body } = await endpoint.send(query, { headers: { accept } });
    await settle();
    assertEquals([second.status, endpoint.last.text.length], [200, 6000]);
    await body?.cancel();
    endpoint.table.close();
    await settle();
    assertEquals(third.status, 404);
  }
});

Deno.test("take() keeps what a body without a declared size sends early, once, and then holds", async () => {
  const endpoint = new OfflineEndpoint();
  const query = `?id=${await endpoint.negotiate()}`;
  const body = new SlowBody();
  const answer = watch(endpoint.send(query, { method: "POST", body: body.stream }));
  await body.send("x".repeat(5000));
  await body.send("y");
  await body.end();
  assertEquals(answer.status, undefined);
  await endpoint.send(query);
  await settle();
  assertEquals([answer.status, endpoint.last.text.length], [200, 5001]);
});

Deno.test("tick() lets early bodies go when no transport comes", async () => {
  const endpoint = new OfflineEndpoint({ disconnectTimeout: 3000 });
  const query = `?id=${await endpoint.negotiate()}`;
  const held = watch(
    endpoint.send(query, { method: "POST", body: "x", headers: { "content-length": "5000" } }),
  );
  endpoint.pass(3000);
  await settle();
  assert(held.status === undefined);
  endpoint.pass(1000);
  await settle();
  assertEquals(held.status, 404);
  assertEquals((await endpoint.send(query)).status, 404);
});

Deno.test("take() refuses more bodies of one connection than maximumPostsPerConnection", async () => {
  const endpoint = new OfflineEndpoint({ maximumPostsPerConnection: 2 });
  const [, query] = await endpoint.startPolling();
  const [other, otherQuery] = await endpoint.startPolling();
  const bodies = [new SlowBody(), new SlowBody()];
  const answers = bodies.map(({ stream }) =>
    watch(endpoint.send(query, { method: "POST", body: stream }))
  );
  const post = { method: "POST", body: "x" };
  assertEquals(await brief(endpoint.send(query, post)), [429, ""]);
  assertMatch(endpoint.log.lines.join(), /^warn A client has 2 POST .* maximumPostsPerConnection /);
  assertEquals(await brief(endpoint.send(otherQuery, post)), [200, ""]);
  assertEquals(other.text, "x");
  for (const body of bodies) await body.end();
  assertEquals(answers, [{ status: 200 }, { status: 200 }]);
  assertEquals(await brief(endpoint.send(query, post)), [200, ""]);
});
