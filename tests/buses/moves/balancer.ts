import { writeAll } from "../../kit/tcp.ts";

/** Brings each connection to the next node of those that are ready, and passes bytes on. */
export class Balancer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #ports: number[] = [];
  readonly #pairs = new Set<Promise<unknown>>();
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting = this.#accept();
  #next = 0;

  get port(): number {
    return this.#listener.addr.port;
  }

  /** A node is ready. */
  add(port: number): void {
    this.#ports.push(port);
  }

  /** A node is not ready any more; its connections stay. */
  remove(port: number): void {
    this.#ports.splice(this.#ports.indexOf(port), 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await this.#accepting;
    await Promise.all(this.#pairs);
  }

  async #accept(): Promise<void> {
    try {
      for (;;) {
        const client = await this.#listener.accept();
        const pair = this.#pass(client);
        this.#pairs.add(pair);
        pair.finally(() => this.#pairs.delete(pair));
      }
    } catch {
      // It was closed.
    }
  }

  async #pass(client: Deno.Conn): Promise<void> {
    this.#open.add(client);
    try {
      const port = this.#ports[this.#next++ % this.#ports.length] ?? 0;
      const node = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#open.add(node);
      await Promise.all([copy(client, node), copy(node, client)]);
      this.#open.delete(node);
    } catch {
      close(client);
    }
    this.#open.delete(client);
  }
}

/** Passes bytes on, and the end too. */
async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (;;) {
      const read = await from.read(buffer);
      if (read === null) break;
      await writeAll(to, buffer.subarray(0, read));
    }
  } catch {
    // One of them was reset.
  }
  close(from);
  close(to);
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
