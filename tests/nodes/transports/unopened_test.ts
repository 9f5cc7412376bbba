import { assertEquals } from "@std/assert";
import { deadline } from "@std/async";
import { connect } from "node:net";
import { acceptWebSocket } from "../../../hub/transports/websocket.ts";
import { ClosingSockets } from "../../../hub/transports/closing_sockets.ts";
import type { Pipe } from "../../../hub/connection/pipe.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

const UPGRADE = [
  "GET / HTTP/1.1",
  "Host: localhost",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "\r\n",
].join("\r\n");

/**
 * Serves one WebSocket, whose pipe is given to `accepted` before the client has the answer. The server ends
 * at once: \`shutdown()\` waits for ever for a WebSocket that never opens.
 */
function serve(
  closing: ClosingSockets,
  accepted: (pipe: Pipe) => Promise<void> | void,
  pipeClosed: () => void = () => {},
) {
  const ending = new AbortController();
  const { signal } = ending;
  const options = { hostname: "127.0.0.1", port: 0, signal, onListen() {} };
  const server = Deno.serve(options, async (request) => {
    const { connectNow, response } = acceptWebSocket(request, closing);
    const made = Promise.withResolvers<Pipe>();
    connectNow((pipe) => {
      made.resolve(pipe);
      return { receive() {}, pipeClosed };
    });
    await accepted(await made.promise);
    return response;
  });
  return { port: server.addr.port, [Symbol.dispose]: () => ending.abort() };
}

// Deno waits for ever for the upgrade of such a client.
const GONE = { sanitizeOps: false };

Deno.test(
  "a WebSocket whose client has gone before it opened is not waited for",
  GONE,
  async () => {
    const closing = new ClosingSockets();
    const gone = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    using server = serve(closing, async (pipe) => {
      await gone.promise;
      pipe.close(1000);
      pipe.close(1000);
      assertEquals(pipe.closing, true);
    }, closed.resolve);
    const client = connect(server.port, "127.0.0.1", () => {
      client.write(UPGRADE, () => client.resetAndDestroy());
    });
    client.on("error", () => {}).on("close", () => gone.resolve());
    await deadline(closed.promise, 5000);
    // The clock stands still: the timeout is never over.
    await deadline(closing.ended(new ManualClock(), 1000), 5000);
  },
);

Deno.test("a WebSocket that was closed before it opened is closed when it opens", async () => {
  const closing = new ClosingSockets();
  using server = serve(closing, (pipe) => pipe.close(1001));
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}`);
  const closed = Promise.withResolvers<CloseEvent>();
  socket.onclose = closed.resolve;
  assertEquals((await deadline(closed.promise, 5000)).code, 1001);
  await deadline(closing.ended(new ManualClock(), 1000), 5000);
});
