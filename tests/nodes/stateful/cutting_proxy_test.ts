import { assertEquals } from "@std/assert";
import { CuttingProxy, type Direction } from "../../kit/servers/cutting_proxy.ts";
import { dial, writeAll } from "../../kit/tcp.ts";
import { bounded, until } from "../../kit/wait.ts";

const OPENING = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/** Both ends of a connection through a proxy, with an opening behind them. */
async function connection() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const proxy = new CuttingProxy(listener.addr.port);
  const [client, server] = await Promise.all([
    dial(proxy.port),
    listener.accept(),
  ]);
  await writeAll(client, new TextEncoder().encode(OPENING));
  assertEquals(await read(server, OPENING.length), OPENING);
  await writeAll(server, new TextEncoder().encode(OPENING));
  assertEquals(await read(client, OPENING.length), OPENING);
  return {
    proxy,
    client,
    server,
    [Symbol.dispose]() {
      for (const end of [proxy, listener, client, server]) end[Symbol.dispose]();
    },
  };
}

/** What a connection brings: so many bytes, or all up to its end, by whatever. */
async function read(connection: Deno.Conn, count = Infinity): Promise<string> {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (text.length < count) {
    const read = await bounded(connection.read(buffer)).catch((error) => {
      if (error instanceof Deno.errors.ConnectionReset) return null;
      throw error;
    });
    if (read === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, read));
  }
  return text;
}

for (const direction of ["up", "down"] as Direction[]) {
  Deno.test(`CuttingProxy.cutAfter() cuts after so many bytes, ${direction}`, async () => {
    for (
      const [bytes, expected] of [[1, "a"], [4, "abcd"], [6, "abcdef"], [8, "abcdefgh"]] as const
    ) {
      using pair = await connection();
      const { proxy, client, server } = pair;
      const [from, to] = direction === "up" ? [client, server] : [server, client];
      const cut = proxy.cutAfter(direction, bytes);
      // The other way does not count, and what is unread there makes no difference.
      await writeAll(to, new TextEncoder().encode("x".repeat(100)));
      await writeAll(from, new TextEncoder().encode("abcdef"));
      if (bytes > 6) {
        assertEquals(await read(to, 6), "abcdef");
        await writeAll(from, new TextEncoder().encode("ghi"));
        assertEquals(await read(to), "gh");
      } else assertEquals(await read(to), expected);
      await bounded(cut);
    }
  });
}

Deno.test("CuttingProxy.hold() keeps both ends, and what passes between them until it is released", async () => {
  using pair = await connection();
  const { proxy, client, server } = pair;
  const held = proxy.hold();
  await writeAll(client, new TextEncoder().encode("abc"));
  await writeAll(client, new TextEncoder().encode("def"));
  const arrived = read(server);
  await until(() => held.bytes === 6);
  // A connection that comes later is none of those.
  const later = await dial(proxy.port);
  await writeAll(later, new TextEncoder().encode(OPENING));
  held.dropClients();
  assertEquals(await read(client), "");
  later.close();
  held.release();
  assertEquals(await arrived, "abcdef");
});
