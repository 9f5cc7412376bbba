import { assertEquals, assertMatch } from "@std/assert";
import { deadline } from "@std/async";
import { bounded } from "../../kit/wait.ts";
import { readResponse } from "../../kit/http.ts";
import { TcpReader } from "../../kit/tcp.ts";
import { Listening } from "./listening.ts";

/** What comes until the server ends the connection, after `text`. */
async function untilEnd(listening: Listening, text: string): Promise<string> {
  using connection = await listening.dial(text);
  const bytes = await bounded(new TcpReader(connection).takeAll());
  return new TextDecoder().decode(bytes);
}

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

Deno.test("listen() ends connections whose requests do not arrive in time, all at once", async () => {
  await using listening = await Listening.start({ headersTimeout: 2000, requestTimeout: 4000 });
  const silent = Array.from({ length: 100 }, () => untilEnd(listening, ""));
  const heads = Array.from({ length: 100 }, () => untilEnd(listening, "GET / HTTP/1.1\r\nhost"));
  const bodies = Array.from(
    { length: 100 },
    () => untilEnd(listening, "POST /hub?id=x HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx"),
  );
  for (const answer of await Promise.all([...silent, ...heads])) {
    assertMatch(answer, /^(?:HTTP\/1\.1 408 |$)/);
  }
  // Nobody has to read them for that: there is no such connection.
  for (const answer of await Promise.all(bodies)) assertMatch(answer, /^HTTP\/1\.1 404 /);
});

Deno.test("listen() ends a request whose body does not arrive in time", async () => {
  await using listening = await Listening.start({
    headersTimeout: 300,
    requestTimeout: 900,
    fetch: async (request) => new Response(await request.text().catch(() => "broke off")),
  });
  const post = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx";
  assertMatch(await untilEnd(listening, post), /^(?:HTTP\/1\.1 408 |$)/);
});

Deno.test("listen() ends a connection that rests after a request", async () => {
  await using listening = await Listening.start({ keepAliveTimeout: 200 });
  assertMatch(await untilEnd(listening, GET), /^HTTP\/1\.1 404 Not Found\r\n.*\r\n\r\n$/s);
});

Deno.test("listen() refuses a head that is too large", async () => {
  await using listening = await Listening.start({ maximumHeaderBytes: 2048 });
  const head = `GET / HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(4000)}\r\n\r\n`;
  assertMatch(await untilEnd(listening, head), /^HTTP\/1\.1 431 /);
});

Deno.test("listen() drops connections beyond maximumConnections, and takes others when there is room", async () => {
  await using listening = await Listening.start({ maximumConnections: 3 });
  const open: Deno.TcpConn[] = [];
  for (let n = 0; n < 3; n++) {
    const connection = await listening.dial(GET);
    assertEquals((await readResponse(new TcpReader(connection), true)).status, 404);
    open.push(connection);
  }
  assertEquals(await untilEnd(listening, ""), "");
  for (const connection of open) connection.close();
  for (let taken = false; !taken;) {
    using connection = await listening.dial();
    const writer = connection.writable.getWriter();
    await writer.write(new TextEncoder().encode(GET)).catch(() => {});
    writer.releaseLock();
    const head = await bounded(new TcpReader(connection).takeUntil("\r\n"));
    taken = head === "HTTP/1.1 404 Not Found";
  }
});

Deno.test("close() of a listener does not wait for connections that do nothing", async () => {
  const listening = await Listening.start({ fetch: () => new Response("slow") });
  using silent = await listening.dial();
  using resting = await listening.dial(GET);
  const reader = new TcpReader(resting);
  assertEquals((await readResponse(reader, true)).body, "slow");
  const { listener, server } = listening;
  // What did do something would be cut after 5 s.
  await deadline(Promise.all([listener.close(), listener.close()]), 4000);
  for (const connection of [silent, resting]) {
    assertEquals(await bounded(new TcpReader(connection).takeAll()), new Uint8Array());
  }
  await server.close();
});

Deno.test("close() of a listener lets a request that is being answered finish", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const listening = await Listening.start({
    async fetch() {
      asked.resolve();
      await answer.promise;
      return new Response("late");
    },
  });
  using connection = await listening.dial(GET);
  await asked.promise;
  const closed = listening.listener.close();
  answer.resolve();
  const response = await readResponse(new TcpReader(connection), true);
  assertEquals([response.body, response.headers["connection"]], ["late", "close"]);
  await bounded(closed);
  await listening.server.close();
});
