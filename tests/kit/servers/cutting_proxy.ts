import { writeAll } from "../tcp.ts";

/** Which way bytes go: to the server, or from it. */
export type Direction = "up" | "down";

/** A cut that is to come. */
interface Cut {
  readonly direction: Direction;
  /** What still passes before it, in bytes. */
  left: number;
  readonly done: () => void;
}

/** A client's connection, and the one to the server that belongs to it. */
interface Pair {
  readonly client: Deno.Conn;
  readonly server: Deno.Conn;
  /** Absent unless what comes is held back. */
  hold?: Hold;
  /** Resolves when it has ended, and all that was held back has been handed over. */
  over: Promise<unknown>;
}

/** What holds connections back. */
interface Hold {
  bytes: number;
  readonly released: Promise<void>;
  release(): void;
}

/** Connections that are open at both ends, and that nothing passes. */
export interface HeldConnections {
  /** What is held back, in bytes. */
  readonly bytes: number;
  /** Lets the clients know that theirs are lost; the server hears nothing of it. */
  dropClients(): void;
  /** Hands over all that was held back, and what has become of the connections; resolves when they end. */
  release(): Promise<void>;
}

/** Stands between clients and servers on loopback, which get connections in turn, and cuts them when told to. */
export class CuttingProxy implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #pairs: Pair[] = [];
  #interrupted = false;
  #cut: Cut | undefined;
  /** Those of which something is held back, or was. */
  readonly #held: Pair[] = [];

  constructor(...ports: readonly number[]) {
    this.#accept(ports);
  }

  /** Where clients connect. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Cuts every connection, or the oldest `count`. */
  cut(count: number = this.#pairs.length): void {
    for (const pair of this.#pairs.splice(0, count)) end(pair);
  }

  /**
   * Cuts every connection when `bytes` more have passed in one direction, in the middle of whatever they
   * are; resolves then. The opening of a WebSocket does not count: who returns is not let in without.
   */
  cutAfter(direction: Direction, bytes: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#cut = { direction, left: bytes, done: resolve };
    return promise;
  }

  /** Holds back whatever comes through the connections that there are; others are not concerned. */
  hold(): HeldConnections {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const hold: Hold = { bytes: 0, released, release };
    const pairs = this.#pairs.splice(0);
    for (const pair of pairs) pair.hold = hold;
    this.#held.push(...pairs);
    return {
      get bytes() {
        return hold.bytes;
      },
      dropClients: () => pairs.forEach(({ client }) => close(client)),
      async release() {
        release();
        await Promise.all(pairs.map(({ over }) => over));
      },
    };
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
    for (const pair of this.#held) {
      end(pair);
      pair.hold?.release();
    }
  }

  async #accept(ports: readonly number[]): Promise<void> {
    let next = 0;
    for await (const client of this.#listener) {
      const port = ports[next++ % ports.length] ?? 0;
      const server = this.#interrupted
        ? undefined
        : await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
      if (server === undefined || this.#interrupted) {
        close(client);
        if (server !== undefined) close(server);
        continue;
      }
      const pair: Pair = { client, server, over: Promise.resolve() };
      this.#pairs.push(pair);
      pair.over = Promise.all([this.#relay(pair, "up"), this.#relay(pair, "down")]);
    }
  }

  async #relay(pair: Pair, direction: Direction): Promise<void> {
    const [from, to] = direction === "up" ? [pair.client, pair.server] : [pair.server, pair.client];
    const buffer = new Uint8Array(64 * 1024);
    const isOpening = openings();
    let written = Promise.resolve();
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        const chunk = buffer.slice(0, count);
        const cut = this.#due(direction, count - isOpening(chunk));
        const passing = chunk.subarray(0, count - (cut?.lost ?? 0));
        const { hold } = pair;
        if (hold !== undefined) hold.bytes += passing.length;
        written = written.then(() => hold?.released).then(() => writeAll(to, passing));
        // What is held back is read all the same: it must not be lost with the socket it came through.
        if (hold === undefined) await written;
        else written.catch(() => {});
        if (cut === undefined) continue;
        this.cut();
        cut.done();
      }
    } catch {
      // One of the two has gone.
    }
    await written.catch(() => {});
    await pair.hold?.released;
    const index = this.#pairs.indexOf(pair);
    if (index !== -1) this.#pairs.splice(index, 1);
    end(pair);
  }

  /** Counts what passes; says how much of it does not any more when the cut is reached. */
  #due(direction: Direction, bytes: number): { lost: number; done: () => void } | undefined {
    const cut = this.#cut;
    if (cut?.direction !== direction) return undefined;
    cut.left -= bytes;
    if (cut.left > 0) return undefined;
    this.#cut = undefined;
    return { lost: -cut.left, done: cut.done };
  }
}

/** Tells of one chunk after the other how many of its bytes open a WebSocket: up to an empty line. */
function openings(): (chunk: Uint8Array) => number {
  const end = [13, 10, 13, 10];
  let matched = 0;
  return (chunk) => {
    let at = 0;
    for (; at < chunk.length && matched < end.length; at++) {
      if (chunk[at] === end[matched]) matched++;
      else matched = chunk[at] === end[0] ? 1 : 0;
    }
    return at;
  };
}

function end({ client, server }: Pair): void {
  close(client);
  close(server);
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
