import { bytes } from "../../kit/wait.ts";

/** A server of NATS that answers every PING, has no headers, and does not close connections. */
export class ScriptedServer implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Deno.Conn[] = [];
  /** All that clients have sent. */
  received = "";

  constructor() {
    this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Sends `text` on the newest connection. */
  async say(text: string): Promise<void> {
    await this.#connections.at(-1)?.write(bytes(text));
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.push(connection);
      this.#serve(connection).catch(() => {});
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const info = { version: "2.9.10", proto: 1, max_payload: 1_000_000 };
    await connection.write(bytes(`INFO ${JSON.stringify(info)}\r\n`));
    const buffer = new Uint8Array(65_536);
    for (let count = await connection.read(buffer); count; count = await connection.read(buffer)) {
      const text = new TextDecoder().decode(buffer.subarray(0, count));
      this.received += text;
      const pings = text.match(/PING\r\n/g) ?? [];
      await connection.write(bytes("PONG\r\n".repeat(pings.length)));
    }
  }
}
