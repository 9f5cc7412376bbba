/**
 * Event streams without a server, in memory, where time passes when the test says so; `network_test.ts`
 * has them on every server.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Frame } from "../../../hub/protocol/frame.ts";
import { eventBytes } from "../../../hub/transports/server_sent_events.ts";
import { bounded } from "../../kit/wait.ts";
import { settle } from "../../kit/pipe.ts";
import { brief, OfflineEndpoint } from "./offline_endpoint.ts";

const EVENTS = { headers: { accept: "text/event-stream" } };
const decoder = new TextDecoder();

async function textOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await bounded(reader.read());
  return decoder.decode(value);
}

async function restOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  let text = "";
  for (;;) {
    const { done, value } = await bounded(reader.read());
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
}

Deno.test("eventBytes() frames a payload, and begins a data line for each of its lines", () => {
  const cases = [
    ["Hello World", "data: Hello World\r\n\r\n"],
    ["Hello\nWorld", "data: Hello\r\ndata: World\r\n\r\n"],
    ["Hello\r\nWorld", "data: Hello\r\ndata: World\r\n\r\n"],
    ["Hello\rWorld", "data: Hello\r\ndata: World\r\n\r\n"],
    ["a\n\nb\n", "data: a\r\ndata: \r\ndata: b\r\ndata: \r\n\r\n"],
    ["ü\x1e{}\x1e", "data: ü\x1e{}\x1e\r\n\r\n"],
  ] as const;
  for (const [payload, event] of cases) {
    assertEquals(decoder.decode(eventBytes(payload)), event);
    assertEquals(decoder.decode(eventBytes(new TextEncoder().encode(payload))), event);
  }
});

Deno.test("events() answers with headers against buffering, and a comment at once", async () => {
  const endpoint = new OfflineEndpoint();
  const query = `?id=${await endpoint.negotiate()}&a=1`;
  const response = await endpoint.send(query, {
    headers: { accept: "text/event-stream", "x-first": "yes" },
  });
  assertEquals(response.status, 200);
  assertEquals(Object.fromEntries(response.headers), {
    "cache-control": "no-cache,no-store",
    "content-encoding": "identity",
    "content-type": "text/event-stream",
    "pragma": "no-cache",
    "x-accel-buffering": "no",
  });
  const reader = response.body?.getReader();
  assertEquals(reader && await textOf(reader), ":\r\n");
  const { opening, pipe } = endpoint.last;
  assertEquals(opening.request.url, `http://localhost/hub${query}`);
  assertEquals(opening.request.headers.get("x-first"), "yes");
  assertEquals([pipe.textOnly, pipe.inherentKeepAlive], [true, undefined]);
  await reader?.cancel();
});

Deno.test("write() makes one event, and counts it until the platform has asked for it", async () => {
  const endpoint = new OfflineEndpoint();
  const [{ pipe }, reader] = await endpoint.startEvents();
  pipe.write(new Frame("a\x1e"));
  pipe.write(new Frame("b\x1e"));
  assertEquals(pipe.bufferedBytes, 2 * "data: a\x1e\r\n\r\n".length);
  assertEquals(await textOf(reader), "data: a\x1e\r\n\r\ndata: b\x1e\r\n\r\n");
  assertEquals(pipe.bufferedBytes, 0);
  const next = textOf(reader);
  await settle();
  pipe.write(new Frame("c\x1e"));
  assertEquals([pipe.bufferedBytes, await next], [0, "data: c\x1e\r\n\r\n"]);
  await reader.cancel();
});

Deno.test("write() hands a large event over in parts", async () => {
  const endpoint = new OfflineEndpoint();
  const [{ pipe }, reader] = await endpoint.startEvents();
  const large = "x".repeat(200_000);
  pipe.write(new Frame("a\x1e"));
  pipe.write(new Frame(large));
  pipe.close(1000);
  await reader.read();
  assertEquals(pipe.bufferedBytes, 200_000 + 12 + 10 - 65_536);
  assertEquals((await restOf(reader)).length, 200_000 + 12 + 10 - 65_536);
});

Deno.test("close() ends the stream after what was written, and forgets the connection", async () => {
  const endpoint = new OfflineEndpoint();
  const [{ pipe }, reader, query] = await endpoint.startEvents();
  pipe.write(new Frame("bye\x1e"));
  pipe.close(1000);
  pipe.write(new Frame("too late\x1e"));
  assertEquals(
    await brief(endpoint.send(query, EVENTS)),
    [404, "No Connection with that ID"],
  );
  assertEquals(await restOf(reader), "data: bye\x1e\r\n\r\n");
});

Deno.test("terminate() ends the stream without what was not taken", async () => {
  const endpoint = new OfflineEndpoint();
  const [connection, reader] = await endpoint.startEvents();
  connection.pipe.write(new Frame("never\x1e"));
  connection.pipe.terminate();
  assertEquals([connection.pipe.bufferedBytes, connection.closed], [0, true]);
  assertEquals(await restOf(reader), "");
});

Deno.test("cancel() of the stream ends the connection: the client has gone", async () => {
  const endpoint = new OfflineEndpoint();
  const [connection, reader, query] = await endpoint.startEvents();
  await reader.cancel();
  assertEquals(connection.closed, true);
  assertEquals((await endpoint.send(query, { method: "POST", body: "x" })).status, 404);
  connection.pipe.write(new Frame("nobody\x1e"));
  connection.pipe.close(1000);
  assertEquals(connection.pipe.bufferedBytes, 0);
});

Deno.test("tick() ends a stream that is stuck for transportSendTimeout, and no other", async () => {
  const endpoint = new OfflineEndpoint({ transportSendTimeout: 5000, disconnectTimeout: 1 });
  const [stuck] = await endpoint.startEvents();
  const [idle] = await endpoint.startEvents();
  const [slow, reader] = await endpoint.startEvents();
  stuck.pipe.write(new Frame("a\x1e"));
  slow.pipe.write(new Frame("x".repeat(1_000_000)));
  for (let second = 0; second < 6; second++) {
    endpoint.pass(1000);
    await reader.read();
  }
  assertEquals([stuck.closed, idle.closed, slow.closed], [false, false, false]);
  endpoint.pass(1000);
  assertEquals([stuck.closed, idle.closed, slow.closed], [true, false, false]);
  endpoint.table.close();
  assertEquals([idle.closed, slow.closed], [true, true]);
});

Deno.test("tick() gives up what a closed stream could not send", async () => {
  const endpoint = new OfflineEndpoint({ transportSendTimeout: 5000 });
  const [{ pipe }, reader] = await endpoint.startEvents();
  pipe.write(new Frame("bye\x1e"));
  pipe.close(1000);
  endpoint.pass(7000);
  assertEquals([pipe.bufferedBytes, await restOf(reader)], [0, ""]);
});
