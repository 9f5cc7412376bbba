/**
 * A WebSocket client that hides nothing: opcodes, fragments, close codes and what the server answers
 * when it refuses. Native `WebSocket` shows none of these and cannot send reserved close codes.
 *
 * @module
 */
import { type RawResponse, readResponse, requestBytes, writeBytes } from "./raw_http.ts";
import { TcpReader } from "./tcp_reader.ts";

/** Kinds of frames. */
export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

/** One frame as it was read. */
export interface RawFrame {
  readonly opcode: number;
  /** Whether it is the last of its message. */
  readonly final: boolean;
  readonly payload: Uint8Array;
}

/** What opening a WebSocket came to. */
export interface RawOpening {
  readonly response: RawResponse;
  /** `undefined` if the server refused. */
  readonly socket: RawWebSocket | undefined;
}

const encoder = new TextEncoder();

/** An open WebSocket. */
export class RawWebSocket implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #reader: TcpReader;

  private constructor(connection: Deno.TcpConn, reader: TcpReader) {
    this.#connection = connection;
    this.#reader = reader;
  }

  /** Asks for a WebSocket. */
  static async request(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawOpening> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    // Frames that follow each other must not wait for acknowledgements.
    connection.setNoDelay();
    const reader = new TcpReader(connection);
    await writeBytes(
      connection,
      requestBytes({ method: "GET", path, headers: { ...UPGRADE, ...headers } }),
    );
    const response = await readResponse(reader, true);
    if (response.status === 101) return { response, socket: new RawWebSocket(connection, reader) };
    connection.close();
    return { response, socket: undefined };
  }

  /** Opens a WebSocket; throws if the server refuses. */
  static async open(port: number, path: string): Promise<RawWebSocket> {
    const { response, socket } = await RawWebSocket.request(port, path);
    if (socket !== undefined) return socket;
    throw new Error(`Cannot open WebSocket: ${response.status} ${response.body}`);
  }

  /** Opens a WebSocket and shakes hands. */
  static async connect(
    port: number,
    path: string,
    protocol = "json",
    version = 1,
  ): Promise<RawWebSocket> {
    const socket = await RawWebSocket.open(port, path);
    await socket.sendText(`${JSON.stringify({ protocol, version })}\x1e`);
    const { payload } = await socket.receive();
    const answer = new TextDecoder().decode(payload);
    if (answer === "{}\x1e") return socket;
    throw new Error(`Cannot shake hands: ${answer}`);
  }

  /** Sends one frame, masked as a client must. */
  async send(opcode: number, payload: Uint8Array, final = true): Promise<void> {
    await writeBytes(this.#connection, maskedFrame(opcode, payload, final));
  }

  /** Sends one text message. */
  async sendText(text: string): Promise<void> {
    await this.send(Opcode.Text, encoder.encode(text));
  }

  /** Sends a close frame with any code at all; without one it is empty. */
  async sendClose(code?: number, reason = ""): Promise<void> {
    const text = encoder.encode(reason);
    const payload = new Uint8Array(code === undefined ? 0 : 2 + text.length);
    if (code !== undefined) {
      new DataView(payload.buffer).setUint16(0, code);
      payload.set(text, 2);
    }
    await this.send(Opcode.Close, payload);
  }

  /** The next frame, whatever it is. */
  async receive(): Promise<RawFrame> {
    const frame = await this.#read();
    if (frame !== undefined) return frame;
    throw new Error("Cannot read frame: the connection ended");
  }

  /** Reads until the server has ended the connection; fails if more frames come. */
  async ended(): Promise<void> {
    const frame = await this.#read();
    if (frame !== undefined) throw new Error(`Unexpected frame: opcode ${frame.opcode}`);
  }

  /**
   * Cuts the connection without a close frame, once all that was sent has left. Returns the frames
   * that were still under way; when it resolves the server knows.
   */
  async cut(): Promise<RawFrame[]> {
    await this.#connection.closeWrite();
    const late: RawFrame[] = [];
    for (let frame = await this.#read(); frame !== undefined; frame = await this.#read()) {
      late.push(frame);
    }
    this[Symbol.dispose]();
    return late;
  }

  /** Drops the connection without a close frame. */
  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // It is closed already.
    }
  }

  async #read(): Promise<RawFrame | undefined> {
    const head = await this.#reader.take(2);
    if (head === undefined) return undefined;
    const [first = 0, second = 0] = head;
    // A server never masks.
    if ((second & 0x80) !== 0) throw new Error("Unexpected frame: it is masked");
    const length = await this.#length(second & 0x7f);
    const payload = await this.#reader.take(length);
    if (payload === undefined) return undefined;
    return { opcode: first & 0x0f, final: (first & 0x80) !== 0, payload };
  }

  async #length(short: number): Promise<number> {
    if (short < 126) return short;
    const bytes = await this.#reader.take(short === 126 ? 2 : 8) ?? new Uint8Array(0);
    return bytes.reduce((length, byte) => length * 256 + byte, 0);
  }
}

const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

function maskedFrame(opcode: number, payload: Uint8Array, final: boolean): Uint8Array {
  const { length } = payload;
  const wide = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = new Uint8Array(2 + wide + 4 + length);
  const view = new DataView(frame.buffer);
  frame[0] = (final ? 0x80 : 0) | opcode;
  frame[1] = 0x80 | (wide === 0 ? length : wide === 2 ? 126 : 127);
  if (wide === 2) view.setUint16(2, length);
  if (wide === 8) view.setBigUint64(2, BigInt(length));
  const mask = crypto.getRandomValues(frame.subarray(2 + wide, 6 + wide));
  for (let i = 0; i < length; i++) frame[6 + wide + i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
  return frame;
}

/** The code and reason of a close frame; code 1005 if it has none. */
export function closeStatus({ payload }: RawFrame): { code: number; reason: string } {
  if (payload.length < 2) return { code: 1005, reason: "" };
  const view = new DataView(payload.buffer, payload.byteOffset);
  return { code: view.getUint16(0), reason: new TextDecoder().decode(payload.subarray(2)) };
}
