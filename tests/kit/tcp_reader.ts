import { deadline } from "@std/async";

/** The longest that anything on a socket may take, in milliseconds. */
export const PATIENCE = 10_000;

const decoder = new TextDecoder();

/** Reads exact pieces of what a TCP connection brings. */
export class TcpReader {
  readonly #connection: Deno.TcpConn;
  #bytes = new Uint8Array(0);

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** The next `count` bytes; `undefined` if the connection ends before. */
  async take(count: number): Promise<Uint8Array | undefined> {
    while (this.#bytes.length < count) if (!await this.#more()) return undefined;
    const taken = this.#bytes.slice(0, count);
    this.#bytes = this.#bytes.slice(count);
    return taken;
  }

  /** What comes before the next `end`, as text; `undefined` if the connection ends before. */
  async takeUntil(end: string): Promise<string | undefined> {
    for (;;) {
      const at = decoder.decode(this.#bytes).indexOf(end);
      if (at >= 0) {
        const taken = await this.take(at + end.length);
        return decoder.decode(taken).slice(0, at);
      }
      if (!await this.#more()) return undefined;
    }
  }

  /** Everything up to the end of the connection. */
  async takeAll(): Promise<Uint8Array> {
    while (await this.#more());
    return await this.take(this.#bytes.length) ?? new Uint8Array(0);
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    let count: number | null;
    try {
      count = await deadline(this.#connection.read(buffer), PATIENCE);
    } catch (error) {
      // A reset is an end as well.
      if (error instanceof Deno.errors.ConnectionReset) return false;
      throw error;
    }
    if (count === null) return false;
    const joined = new Uint8Array(this.#bytes.length + count);
    joined.set(this.#bytes);
    joined.set(buffer.subarray(0, count), this.#bytes.length);
    this.#bytes = joined;
    return true;
  }
}
