import { assertEquals, assertStringIncludes } from "@std/assert";
import type { AcceptWebSocket } from "../../../hub/transports/acceptor.ts";
import { fetchThrough } from "../../../hub/serving/fetch.ts";
import { resolveOptions } from "../../../hub/options/server.ts";
import type { TransportName } from "../../../hub/options/transports.ts";
import { acceptWebSocket, nativeAcceptor } from "../../../hub/transports/websocket.ts";
import { KeptLog } from "../../kit/log.ts";

/** Asks twice through a server with or without WebSockets; returns what was logged and passed on. */
async function ask(accept: AcceptWebSocket | undefined, transports: readonly TransportName[]) {
  const log = new KeptLog();
  const passed: unknown[] = [];
  const front = {
    answer(request: Request, accept?: AcceptWebSocket) {
      if (request.url.endsWith("/elsewhere")) return undefined;
      passed.push(accept);
      return Promise.resolve(new Response());
    },
  };
  const fetch = fetchThrough(front, resolveOptions({ logger: log, transports }), accept);
  const { status } = await fetch(new Request("http://localhost/elsewhere"));
  assertEquals([status, log.lines], [404, []]);
  for (let time = 0; time < 2; time++) await fetch(new Request("http://localhost/hub"));
  return { lines: log.lines, passed };
}

Deno.test("fetch() says once that its runtime has no WebSockets to serve", async () => {
  const { lines, passed } = await ask(undefined, ["WebSockets", "LongPolling"]);
  assertEquals([lines.length, passed], [1, [undefined, undefined]]);
  assertStringIncludes(lines[0] ?? "", "use listen() of @hubplane/hubplane/listen");
  assertEquals((await ask(undefined, ["LongPolling"])).lines, []);
});

Deno.test("fetch() serves WebSockets on Deno", async () => {
  assertEquals(nativeAcceptor(), acceptWebSocket);
  const { lines, passed } = await ask(acceptWebSocket, ["WebSockets"]);
  assertEquals([lines, passed], [[], [acceptWebSocket, acceptWebSocket]]);
});
