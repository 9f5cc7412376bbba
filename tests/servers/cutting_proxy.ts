/** Stands between clients and a server on loopback, and cuts their connections when told to. */
export class CuttingProxy implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #pairs: (readonly [Deno.Conn, Deno.Conn])[] = [];
  #interrupted = false;

  constructor(port: number) {
    this.#accept(port);
  }

  /** Where clients connect. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Cuts every connection, or the oldest `count`. */
  cut(count: number = this.#pairs.length): void {
    for (const pair of this.#pairs.splice(0, count)) end(pair);
  }

  /** Cuts everything, and everyone who comes until {@link restore}. */
  interrupt(): void {
    this.#interrupted = true;
    this.cut();
  }

  /** Lets everyone through again. */
  restore(): void {
    this.#interrupted = false;
  }

  /** Cuts everything and accepts nothing more. */
  [Symbol.dispose](): void {
    this.#listener.close();
    this.cut();
  }

  async #accept(port: number): Promise<void> {
    for await (const client of this.#listener) {
      const server = this.#interrupted
        ? undefined
        : await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
      if (server === undefined || this.#interrupted) {
        end(server === undefined ? [client] : [client, server]);
        continue;
      }
      const pair = [client, server] as const;
      this.#pairs.push(pair);
      for (const [from, to] of [[client, server], [server, client]] as const) {
        from.readable.pipeTo(to.writable).catch(() => {}).finally(() => {
          const index = this.#pairs.indexOf(pair);
          if (index !== -1) this.#pairs.splice(index, 1);
          end(pair);
        });
      }
    }
  }
}

function end(pair: readonly Deno.Conn[]): void {
  for (const connection of pair) {
    try {
      connection.close();
    } catch {
      // Closed with its streams.
    }
  }
}
