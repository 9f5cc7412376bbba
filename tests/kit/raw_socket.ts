import { deadline } from "@std/async";
import { joined } from "./wire_format.ts";

/** Kinds of frames. */
export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

/** One frame of a server. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** The longest that a server may keep silent here, in milliseconds: a bound, not a claim. */
const PATIENCE = 10_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes all of it. */
export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** The request that opens a WebSocket. */
export function upgradeRequest(path: string): Uint8Array {
  const lines = [
    `GET ${path} HTTP/1.1`,
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  ];
  return encoder.encode(`${lines.join("\r\n")}\r\n\r\n`);
}

/** The head of a client's frame; a mask of zeros leaves the payload as it is. */
export function frameHead(opcode: number, length: number, final = true): Uint8Array {
  const head = new Uint8Array(length < 126 ? 6 : length < 0x10000 ? 8 : 14);
  const view = new DataView(head.buffer);
  head[0] = (final ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (length < 126 ? length : length < 0x10000 ? 126 : 127);
  if (head.length === 8) view.setUint16(2, length);
  if (head.length === 14) view.setBigUint64(2, BigInt(length));
  return head;
}

/** A client's frame. */
export function frame(opcode: number, payload: Uint8Array | string, final = true): Uint8Array {
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  const head = frameHead(opcode, bytes.length, final);
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return whole;
}

/** A WebSocket made by hand: it can send what no client library sends, and read or not read. */
export class RawSocket implements Disposable {
  readonly connection: Deno.TcpConn;
  #bytes = new Uint8Array(4096);
  #start = 0;
  #end = 0;

  private constructor(connection: Deno.TcpConn) {
    this.connection = connection;
  }

  /**
   * Opens a WebSocket; throws if the server refuses. What comes `behind` is sent in one piece with the
   * request.
   */
  static async open(
    port: number,
    path = "/hub",
    behind: Uint8Array = new Uint8Array(),
  ): Promise<RawSocket> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay();
    const socket = new RawSocket(connection);
    try {
      await writeAll(connection, joined(upgradeRequest(path), behind));
      const head = await socket.#head();
      if (head.startsWith("HTTP/1.1 101")) return socket;
      throw new Error(`Cannot open WebSocket: ${head.split("\r\n")[0]}`);
    } catch (error) {
      socket[Symbol.dispose]();
      throw error;
    }
  }

  /** Opens a WebSocket and shakes hands; the answer is left unread. */
  static async shakeHands(port: number, protocol = "json", path = "/hub"): Promise<RawSocket> {
    const socket = await RawSocket.open(port, path);
    await socket.send(Opcode.Text, `{"protocol":"${protocol}","version":1}\x1e`);
    return socket;
  }

  /** Sends one frame. */
  async send(opcode: number, payload: Uint8Array | string, final = true): Promise<void> {
    await this.write(frame(opcode, payload, final));
  }

  /** Sends a close frame. */
  async sendClose(code: number): Promise<void> {
    await this.send(Opcode.Close, new Uint8Array([code >> 8, code & 0xff]));
  }

  /** Sends bytes as they are. */
  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.connection, bytes);
  }

  /** The next frame; `undefined` when the connection has ended, by whatever. */
  async receive(): Promise<Frame | undefined> {
    if (!await this.#have(2)) return undefined;
    const [first = 0, second = 0] = this.#bytes.subarray(this.#start);
    const wide = second < 126 ? 0 : second === 126 ? 2 : 8;
    if (!await this.#have(2 + wide)) return undefined;
    const extended = this.#bytes.subarray(this.#start + 2, this.#start + 2 + wide);
    const length = wide === 0 ? second : extended.reduce((sum, byte) => sum * 256 + byte, 0);
    if (!await this.#have(2 + wide + length)) return undefined;
    const at = this.#start + 2 + wide;
    this.#start = at + length;
    return { opcode: first & 0x0f, payload: this.#bytes.slice(at, at + length) };
  }

  /** Drops the connection. */
  [Symbol.dispose](): void {
    try {
      this.connection.close();
    } catch {
      // It is closed already.
    }
  }

  async #head(): Promise<string> {
    for (;;) {
      const text = decoder.decode(this.#bytes.subarray(this.#start, this.#end));
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#start += end + 4;
        return text.slice(0, end);
      }
      if (!await this.#have(this.#end - this.#start + 1)) return text;
    }
  }

  /** Reads until so many bytes are there; false if the connection ends before. */
  async #have(count: number): Promise<boolean> {
    while (this.#end - this.#start < count) {
      this.#makeRoom(count);
      const read = await deadline(this.#read(), PATIENCE);
      if (read === null) return false;
      this.#end += read;
    }
    return true;
  }

  #makeRoom(count: number): void {
    if (this.#start + count <= this.#bytes.length && this.#end < this.#bytes.length) return;
    const kept = this.#bytes.subarray(this.#start, this.#end);
    const bytes = new Uint8Array(Math.max(4096, 2 * count));
    bytes.set(kept);
    this.#bytes = bytes;
    this.#end = kept.length;
    this.#start = 0;
  }

  async #read(): Promise<number | null> {
    try {
      return await this.connection.read(this.#bytes.subarray(this.#end));
    } catch (error) {
      // A reset is an end as well.
      if (error instanceof Deno.errors.ConnectionReset) return null;
      if (error instanceof Deno.errors.BrokenPipe) return null;
      throw error;
    }
  }
}
