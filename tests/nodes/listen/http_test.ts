import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { listen } from "../../../hub/listen/listen.ts";
import { bounded, until } from "../../kit/wait.ts";
import { Certificates } from "../../kit/servers/certificates.ts";
import { rawFetch, readResponse } from "../../kit/http.ts";
import { TcpReader, writeAll } from "../../kit/tcp.ts";
import { Listening } from "./listening.ts";

const NEGOTIATE = "/hub/negotiate?negotiateVersion=1";

/** The first line of what comes until the connection ends. */
async function answerTo(listening: Listening, text: string): Promise<string | undefined> {
  using connection = await listening.dial(text);
  const bytes = await bounded(new TcpReader(connection).takeAll());
  return new TextDecoder().decode(bytes).split("\r\n")[0];
}

Deno.test("listen() makes the URL of a request from its target and Host", async () => {
  await using listening = await Listening.start();
  const post = (target: string, headers: string) =>
    answerTo(
      listening,
      `POST ${target} HTTP/1.1\r\n${headers}content-length: 0\r\nconnection: close\r\n\r\n`,
    );
  const OK = "HTTP/1.1 200 OK";
  const BAD = "HTTP/1.1 400 Bad Request";
  const cases: readonly (readonly [string, string, string | undefined, string?])[] = [
    [NEGOTIATE, "host: a.example:81\r\n", OK, `http://a.example:81${NEGOTIATE}`],
    [NEGOTIATE, "host: [::1]\r\n", OK, `http://[::1]${NEGOTIATE}`],
    [`http://b.example${NEGOTIATE}`, "host: a\r\n", OK, `http://a${NEGOTIATE}`],
    [NEGOTIATE, "host: a/b\r\n", BAD],
    [NEGOTIATE, "host: a@b\r\n", BAD],
    [NEGOTIATE, "host: a:x\r\n", BAD],
    [NEGOTIATE, "host: \r\n", BAD],
    [NEGOTIATE, "", BAD],
    ["hub/negotiate", "host: a\r\n", BAD],
    ["*", "host: a\r\n", BAD],
    ["//hub/negotiate", "host: a\r\n", "HTTP/1.1 404 Not Found"],
    ["http://b.example", "host: a\r\n", "HTTP/1.1 404 Not Found"],
  ];
  for (const [target, headers, answer, url] of cases) {
    assertEquals(await post(target, headers), answer, `${target} ${headers}`);
    assertEquals(listening.urls.splice(0), url === undefined ? [] : [url]);
  }
  const old = `POST ${NEGOTIATE} HTTP/1.0\r\n\r\n`;
  assertEquals(await answerTo(listening, old), OK);
  assertEquals(listening.urls, [`http://127.0.0.1${NEGOTIATE}`]);
});

Deno.test("listen() with an origin makes URLs with that, whatever Host says", async () => {
  await using listening = await Listening.start({ origin: "https://chat.example" });
  await rawFetch(listening.port, { method: "POST", path: NEGOTIATE });
  assertEquals(listening.urls, [`https://chat.example${NEGOTIATE}`]);
});

Deno.test("listen() with cert and key serves TLS", async () => {
  await using certificates = await Certificates.make();
  await certificates.issue("server", "DNS:localhost");
  const cert = await certificates.read("server.pem");
  const key = await certificates.read("server.key");
  await using listening = await Listening.start({ cert, key });
  assertMatch(listening.listener.url, /^https:/);
  using client = Deno.createHttpClient({ caCerts: [await certificates.read("authority.pem")] });
  const url = `https://localhost:${listening.port}${NEGOTIATE}`;
  const response = await fetch(url, { method: "POST", client });
  assertEquals([response.status, (await response.json()).negotiateVersion], [200, 1]);
  assertEquals(listening.urls, [url]);
});

Deno.test("listen() says what keeps it from listening", async () => {
  await using listening = await Listening.start();
  const { server, port } = listening;
  const cases: readonly (readonly [Parameters<typeof listen>[1], string])[] = [
    [{ port: 65_536 }, "Cannot use port: 65536 is not an integer between 0 and 65535"],
    [
      { requestTimeout: 0 },
      "Cannot use requestTimeout: 0 is not an integer between 1 and 2147483647",
    ],
    [{ cert: "x" }, "Cannot listen: cert and key go together"],
    [{ cert: "x", key: "y" }, "Cannot listen: cert or key is not valid"],
    [{ origin: "https://a.example/" }, 'Cannot use origin: "https://a.example/" is not an origin'],
    [{ hostname: "127.0.0.1", port }, `Cannot listen on 127.0.0.1:${port}: `],
  ];
  for (const [options, text] of cases) {
    await assertRejects(() => listen(server, options), Error, text);
  }
  const impostor = {
    fetch: server.fetch,
    close: () => Promise.resolve(),
  } as unknown as typeof server;
  await assertRejects(() => listen(impostor), TypeError, "not made by createHubServer()");
});

Deno.test("listen() answers what is to no hub with fetch(), and 404 without it", async () => {
  await using bare = await Listening.start();
  assertEquals((await rawFetch(bare.port, { method: "GET", path: "/" })).status, 404);
  await using listening = await Listening.start({
    fetch({ method, url }) {
      const { pathname } = new URL(url);
      if (pathname.startsWith("/fails")) throw new Error(`no page ${url}`);
      const headers = new Headers({ "content-type": "text/html", connection: "x", "x-mine": "y" });
      headers.append("set-cookie", "a=1");
      headers.append("set-cookie", "b=2");
      if (pathname === "/empty") return new Response(null, { status: 204, headers });
      return new Response(`${method} ${pathname}`, { headers, status: 201, statusText: "Mine" });
    },
  });
  using connection = await listening.dial(
    "GET /page HTTP/1.1\r\nhost: a\r\n\r\nGET /empty HTTP/1.1\r\nhost: a\r\n\r\n" +
      "HEAD /page HTTP/1.1\r\nhost: a\r\n\r\n",
  );
  const reader = new TcpReader(connection);
  const page = await readResponse(reader, true);
  assertEquals([page.status, page.reason, page.body], [201, "Mine", "GET /page"]);
  assertEquals([page.headers["x-mine"], page.headers["connection"]], ["y", "keep-alive"]);
  const empty = await reader.takeUntil("\r\n\r\n") ?? "";
  assertMatch(empty, /^HTTP\/1.1 204 /);
  assertMatch(empty, /set-cookie: a=1\r\nset-cookie: b=2/);
  assertEquals((await readResponse(reader, false)).reason, "Mine");
  for (let n = 0; n < 3; n++) {
    const failed = await rawFetch(listening.port, { method: "GET", path: `/fails${n}` });
    assertEquals([failed.status, failed.body], [500, ""]);
  }
  // One entry a minute, whatever a client makes the error say.
  assertEquals(listening.log.lines.length, 1);
  assertMatch(listening.log.lines[0] ?? "", /^error GET \/fails0 failed: Error: no page http/);
});

Deno.test("listen() outlives an answer that cannot be sent, and says so", async () => {
  const used = new Response("used");
  await used.text();
  await using listening = await Listening.start({ fetch: () => used });
  for (const head of ["", "connection: upgrade\r\nupgrade: websocket\r\n"]) {
    await answerTo(listening, `GET / HTTP/1.1\r\nhost: a\r\n${head}\r\n`);
  }
  assertEquals((await rawFetch(listening.port, { method: "POST", path: NEGOTIATE })).status, 200);
  // Once a minute.
  assertEquals(listening.log.lines.length, 1);
  assertMatch(listening.log.lines.join(), /^error An answer could not be sent: /);
});

Deno.test("listen() streams an answer as fast as it is read, and cancels it when its reader goes", async () => {
  let chunks = 0;
  const canceled = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await using listening = await Listening.start({
    fetch(request) {
      request.signal.addEventListener("abort", () => aborted.resolve());
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull(controller) {
          chunks++;
          controller.enqueue(new Uint8Array(65_536));
        },
        cancel: () => canceled.resolve(),
      });
      return new Response(body);
    },
  });
  const connection = await listening.dial("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  // What the system takes is megabytes; then it stops.
  let before = -1;
  await until(async () => {
    const stopped = chunks === before && chunks > 0;
    before = chunks;
    for (let n = 0; n < 20; n++) {
      await rawFetch(listening.port, { method: "POST", path: NEGOTIATE });
    }
    return stopped;
  });
  assert(chunks < 1000, `${chunks} chunks were taken`);
  connection.close();
  await bounded(canceled.promise);
  await bounded(aborted.promise);
});

Deno.test("a request's signal is not aborted by an answer that was read", async () => {
  let signal: AbortSignal | undefined;
  await using listening = await Listening.start({
    fetch(request) {
      signal = request.signal;
      return new Response("read");
    },
  });
  assertEquals((await rawFetch(listening.port, { method: "GET", path: "/" })).body, "read");
  await rawFetch(listening.port, { method: "POST", path: NEGOTIATE });
  assertEquals(signal?.aborted, false);
});

Deno.test("fetch() reads a body no faster than it wants to, and learns when it breaks off", async () => {
  const enough = Promise.withResolvers<void>();
  const broken = Promise.withResolvers<string>();
  await using listening = await Listening.start({
    async fetch({ body }) {
      const reader = body?.getReader();
      try {
        for (let n = 0; n < 2; n++) await reader?.read();
        await enough.promise;
        return new Response("enough");
      } catch (error) {
        broken.resolve((error as Error).message);
        return new Response(null, { status: 400 });
      }
    },
  });
  const length = 200_000_000;
  const post = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`;
  using connection = await listening.dial(post);
  let written = 0;
  const writing = (async () => {
    const piece = new Uint8Array(65_536);
    while (written < length) written += await connection.write(piece);
  })().catch(() => {});
  // What the system takes is megabytes; then it stops.
  let before = -1;
  await until(async () => {
    const stopped = written === before && written > 0;
    before = written;
    for (let n = 0; n < 20; n++) {
      await rawFetch(listening.port, { method: "POST", path: NEGOTIATE });
    }
    return stopped;
  });
  assert(written < length / 2, `${written} bytes were taken`);
  enough.resolve();
  const answer = await readResponse(new TcpReader(connection), true);
  // It cannot be followed by another request: what is left of the body comes first.
  assertEquals([answer.status, answer.headers["connection"]], [200, "close"]);
  await writing;
  (await listening.dial(`${post}x`)).close();
  assertEquals(await bounded(broken.promise), "The body of the request broke off");
});

Deno.test("a request to upgrade to what is no WebSocket is answered as if it did not ask", async () => {
  await using listening = await Listening.start({
    fetch: async (request) => new Response(`${request.url} ${await request.text()}`),
  });
  // All on one connection: none of these ends it.
  using connection = await listening.dial();
  const reader = new TcpReader(connection);
  for (const upgrade of ["h2c", "h2c, websocket", "HTTP/3.0", "TLS/1.3"]) {
    const page = await rawUpgrade(upgrade, "GET", "/page");
    assertEquals([page.status, page.body], [200, "http://localhost/page "]);
    assertEquals((await rawUpgrade(upgrade, "HEAD", "/page")).body, "");
    const posted = await rawUpgrade(upgrade, "POST", "/page", "body");
    assertEquals([posted.status, posted.body], [200, "http://localhost/page body"]);
    const { connectionToken } = JSON.parse((await rawUpgrade(upgrade, "POST", NEGOTIATE)).body);
    const path = `/hub?id=${connectionToken}`;
    assertEquals((await rawUpgrade(upgrade, "GET", path)).status, 200);
    assertEquals((await rawUpgrade(upgrade, "POST", path, "body")).status, 200);
    assertEquals((await rawUpgrade(upgrade, "DELETE", path)).status, 202);
  }
  // A WebSocket is opened by GET, without a body.
  const posted = await rawUpgrade("websocket", "POST", "/page", "body");
  assertEquals([posted.status, posted.body], [200, "http://localhost/page body"]);
  assertEquals((await rawUpgrade("websocket", "GET", "/hub", "body")).status, 400);

  async function rawUpgrade(upgrade: string, method: string, path: string, body = "") {
    const lines = Object.entries({
      host: "localhost",
      connection: "Upgrade, HTTP2-Settings",
      upgrade,
      "http2-settings": "AAMAAABkAAQCAAAAAAIAAAAA",
      "content-length": body.length,
    });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await writeAll(connection, `${method} ${path} HTTP/1.1\r\n${head}\r\n${body}`);
    return await readResponse(reader, method !== "HEAD");
  }
});
