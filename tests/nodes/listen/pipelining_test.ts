import { assertEquals, assertMatch } from "@std/assert";
import { readResponse } from "../../kit/http.ts";
import { TcpReader, writeAll } from "../../kit/tcp.ts";
import { bounded, Events, until } from "../../kit/wait.ts";
import { Listening } from "./listening.ts";

const GET = "GET /page HTTP/1.1\r\nhost: a\r\n\r\n";
const POST = "POST /page HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody";

/** A server whose pages come when the test says so. */
class SlowPages {
  readonly asked: Events<string> = new Events();
  readonly open: PromiseWithResolvers<void> = Promise.withResolvers();

  readonly fetch = async (request: Request): Promise<Response> => {
    const body = await request.text();
    this.asked.add(body);
    await this.open.promise;
    return new Response(`${this.asked.all.length} ${body}`);
  };
}

/** Reads answers and their bodies. */
async function bodies(reader: TcpReader, count: number): Promise<string[]> {
  const read: string[] = [];
  while (read.length < count) {
    const { status, body } = await readResponse(reader, true);
    assertEquals(status, 200);
    read.push(body);
  }
  return read;
}

/** Resolves when the server has had the time to read more, had it wanted to. */
async function roundTrips(listening: Listening): Promise<void> {
  for (let n = 0; n < 20; n++) {
    using connection = await listening.dial("GET /hub HTTP/1.1\r\nhost: a\r\n\r\n");
    assertEquals((await readResponse(new TcpReader(connection), true)).status, 400);
  }
}

for (const request of [GET, POST]) {
  const method = request.slice(0, request.indexOf(" "));
  Deno.test(`listen() answers sixteen ${method}s of one packet, and reads no more before`, async () => {
    const pages = new SlowPages();
    await using listening = await Listening.start({ fetch: pages.fetch });
    using connection = await listening.dial(request.repeat(16));
    await pages.asked.count(16);
    await writeAll(connection, request);
    await roundTrips(listening);
    assertEquals(pages.asked.all.length, 16);
    pages.open.resolve();
    const body = method === "POST" ? "body" : "";
    const answers = await bodies(new TcpReader(connection), 17);
    assertEquals(answers.slice(0, 16), Array(16).fill(`16 ${body}`));
    assertEquals(answers[16], `17 ${body}`);
  });
}

Deno.test("listen() takes any number of requests one after the other", async () => {
  await using listening = await Listening.start({
    fetch: () => new Response("page"),
    maximumPipelinedRequests: 2,
  });
  using connection = await listening.dial();
  const reader = new TcpReader(connection);
  for (let n = 0; n < 50; n++) {
    await writeAll(connection, GET.repeat(2));
    assertEquals(await bodies(reader, 2), ["page", "page"]);
  }
});

Deno.test("listen() ends a connection whose packet holds more requests than that", async () => {
  let asked = 0;
  const slow = Promise.withResolvers<Response>();
  await using listening = await Listening.start({ fetch: () => (asked++, slow.promise) });
  using connection = await listening.dial();
  await writeAll(connection, GET.repeat(100_000)).catch(() => {});
  const bytes = await bounded(new TcpReader(connection).takeAll());
  assertEquals([bytes.length, asked], [0, 16]);
  assertMatch(listening.log.lines.join(), /^warn A client sent more .* maximumPipelinedRequests /);
  slow.resolve(new Response());
  await roundTrips(listening);
});

Deno.test("listen() counts answers that the client does not read", async () => {
  let asked = 0;
  // More than the buffers of two sockets.
  const body = new Uint8Array(16 * 2 ** 20);
  await using listening = await Listening.start({
    fetch: () => (asked++, new Response(body)),
    maximumPipelinedRequests: 2,
  });
  using connection = await listening.dial(GET.repeat(2));
  await until(() => asked === 2);
  await writeAll(connection, GET.repeat(2));
  await roundTrips(listening);
  assertEquals(asked, 2);
});

Deno.test("listen() ends with requests that wait behind others, when their client goes", async () => {
  const pages = new SlowPages();
  const gone = new Events<string>();
  await using listening = await Listening.start({
    fetch(request) {
      request.signal.addEventListener("abort", () => gone.add(request.url));
      return pages.fetch(request);
    },
  });
  const connection = await listening.dial(GET.repeat(3));
  await pages.asked.count(3);
  connection.close();
  await gone.count(3);
  pages.open.resolve();
});
