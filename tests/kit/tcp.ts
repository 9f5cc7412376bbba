import { bounded } from "./wait.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Opens a TCP connection to a server on this machine. What is written leaves at once. */
export async function dial(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay();
  return connection;
}

/** Writes all of it. */
export async function writeAll(connection: Deno.Conn, data: Uint8Array | string): Promise<void> {
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Whether an error means that the other side has ended the connection. */
export function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe;
}

/** Reads exact pieces of what a TCP connection brings. A reset is an end as well. */
export class TcpReader {
  readonly #connection: Deno.Conn;
  #bytes = new Uint8Array(4096);
  #start = 0;
  #end = 0;

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** The next `count` bytes; `undefined` if the connection ends before. */
  async take(count: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#end - this.#start < count) if (!await this.#more(count)) return undefined;
    const start = this.#start;
    this.#start += count;
    return this.#bytes.slice(start, start + count);
  }

  /** What comes before the next `end`, as text; `undefined` if the connection ends before. */
  async takeUntil(end: string): Promise<string | undefined> {
    for (;;) {
      const at = decoder.decode(this.#bytes.subarray(this.#start, this.#end)).indexOf(end);
      if (at >= 0) {
        const taken = await this.take(at + end.length);
        return decoder.decode(taken).slice(0, at);
      }
      if (!await this.#more()) return undefined;
    }
  }

  /** Everything up to the end of the connection. */
  async takeAll(): Promise<Uint8Array<ArrayBuffer>> {
    while (await this.#more());
    return this.#bytes.slice(this.#start, this.#end);
  }

  /** Reads more, of which `wanted` bytes are needed in all; false at the end of the connection. */
  async #more(wanted = this.#end - this.#start + 1): Promise<boolean> {
    this.#makeRoom(wanted);
    const read = await bounded(this.#read(), "bytes of the server");
    this.#end += read ?? 0;
    return read !== null;
  }

  #makeRoom(wanted: number): void {
    if (this.#start + wanted <= this.#bytes.length && this.#end < this.#bytes.length) return;
    const kept = this.#bytes.subarray(this.#start, this.#end);
    const bytes = new Uint8Array(Math.max(4096, 2 * wanted));
    bytes.set(kept);
    this.#bytes = bytes;
    this.#end = kept.length;
    this.#start = 0;
  }

  async #read(): Promise<number | null> {
    try {
      return await this.#connection.read(this.#bytes.subarray(this.#end));
    } catch (error) {
      if (isReset(error)) return null;
      throw error;
    }
  }
}
