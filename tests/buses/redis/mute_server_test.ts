import { assertEquals } from "@std/assert";
import { deadline } from "@std/async";
import { Cluster, Redis } from "ioredis";
import { RedisBackplane, type RedisBackplaneOptions } from "../../../backplanes/redis.ts";
import { KeptLog } from "../../kit/log.ts";

/** A server that takes connections, and answers nothing. */
class MuteServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Deno.Conn[] = [];
  readonly #asked = Promise.withResolvers<void>();
  readonly #accepting = this.#accept();

  /** Resolves when both clients of a backplane have connected. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  get address(): { readonly host: string; readonly port: number } {
    const { port } = this.#listener.addr as Deno.NetAddr;
    return { host: "127.0.0.1", port };
  }

  /** Resolves when its clients have closed all connections. */
  async left(): Promise<void> {
    for (const connection of this.#connections) {
      const buffer = new Uint8Array(1024);
      while (await connection.read(buffer).catch(() => null) !== null);
    }
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      if (this.#connections.push(connection) === 2) this.#asked.resolve();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#connections) connection.close();
  }
}

const CLIENTS: Record<string, (server: MuteServer) => Required<RedisBackplaneOptions>["client"]> = {
  "a node of a Cluster": ({ address }) => (_role, options) =>
    new Cluster([address], { redisOptions: options }),
  "a Sentinel": ({ address }) => (_role, options) =>
    new Redis({ ...options, sentinels: [address], name: "news" }),
  "a server": ({ address }) => (_role, options) => new Redis({ ...options, ...address }),
};

for (const [what, clientOf] of Object.entries(CLIENTS)) {
  Deno.test(`close() leaves no connection to ${what} that does not answer`, async () => {
    await using server = new MuteServer();
    const options = { logger: new KeptLog(), client: clientOf(server) };
    const backplane = new RedisBackplane("redis://mute", options);
    await deadline(server.asked, 5000);
    await deadline(backplane.close(), 1000);
    await deadline(server.left(), 500);
    assertEquals(backplane.status, "closed");
  });
}
