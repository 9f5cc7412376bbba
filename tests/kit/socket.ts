/**
 * A WebSocket client that hides nothing: opcodes, fragments, close codes and what the server answers
 * when it refuses. Native `WebSocket` shows none of these and cannot send reserved close codes.
 *
 * @module
 */
import { type RawResponse, readResponse, requestBytes } from "./http.ts";
import { dial, TcpReader, writeAll } from "./tcp.ts";
import { joined } from "./wire_format.ts";

/** Kinds of frames. */
export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

/** One frame as it was read. */
export interface Frame {
  readonly opcode: number;
  /** Whether it is the last of its message. */
  readonly final: boolean;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** What opening a WebSocket came to. */
export interface Opening {
  readonly response: RawResponse;
  /** `undefined` if the server refused. */
  readonly socket: RawSocket | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** The request that opens a WebSocket. */
export function upgradeRequest(
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return requestBytes({ method: "GET", path, headers: { ...UPGRADE, ...headers } });
}

/** The head of a client's frame; a mask of zeros leaves the payload as it is. */
export function frameHead(opcode: number, length: number, final = true): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(length < 126 ? 6 : length < 0x10000 ? 8 : 14);
  const view = new DataView(head.buffer);
  head[0] = (final ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (length < 126 ? length : length < 0x10000 ? 126 : 127);
  if (head.length === 8) view.setUint16(2, length);
  if (head.length === 14) view.setBigUint64(2, BigInt(length));
  return head;
}

/** A client's frame, with a mask of zeros. */
export function frame(
  opcode: number,
  payload: Uint8Array | string,
  final = true,
): Uint8Array<ArrayBuffer> {
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  return joined(frameHead(opcode, bytes.length, final), bytes);
}

/** A client's frame, with a mask of its own. */
function maskedFrame(opcode: number, payload: Uint8Array | string, final: boolean): Uint8Array {
  const bytes = frame(opcode, payload, final);
  const [, second = 0] = bytes;
  const start = second === 0xff ? 14 : second === 0xfe ? 8 : 6;
  const mask = crypto.getRandomValues(bytes.subarray(start - 4, start));
  for (let at = start; at < bytes.length; at++) {
    bytes[at] = (bytes[at] ?? 0) ^ (mask[(at - start) % 4] ?? 0);
  }
  return bytes;
}

/** The code and reason of a close frame; code 1005 if it has none. */
export function closeStatus({ payload }: Frame): { code: number; reason: string } {
  if (payload.length < 2) return { code: 1005, reason: "" };
  return {
    code: new DataView(payload.buffer).getUint16(0),
    reason: decoder.decode(payload.subarray(2)),
  };
}

/** A WebSocket made by hand: it can send what no client library sends, and read or not read. */
export class RawSocket implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #reader: TcpReader;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reader = new TcpReader(connection);
  }

  /** Asks for a WebSocket. What comes `behind` is sent in one piece with the request. */
  static async request(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    behind: Uint8Array = new Uint8Array(),
  ): Promise<Opening> {
    const socket = new RawSocket(await dial(port));
    try {
      await socket.write(joined(upgradeRequest(path, headers), behind));
      const response = await readResponse(socket.#reader, true);
      if (response.status === 101) return { response, socket };
      socket[Symbol.dispose]();
      return { response, socket: undefined };
    } catch (error) {
      socket[Symbol.dispose]();
      throw error;
    }
  }

  /** Opens a WebSocket; throws if the server refuses. */
  static async open(port: number, path = "/hub", behind?: Uint8Array): Promise<RawSocket> {
    const { response, socket } = await RawSocket.request(port, path, {}, behind);
    if (socket !== undefined) return socket;
    throw new Error(`Cannot open WebSocket: ${response.status} ${response.body}`);
  }

  /** Opens a WebSocket and shakes hands; the answer is left unread. */
  static async shakeHands(
    port: number,
    protocol = "json",
    path = "/hub",
    version = 1,
  ): Promise<RawSocket> {
    const socket = await RawSocket.open(port, path);
    await socket.sendText(`${JSON.stringify({ protocol, version })}\x1e`);
    return socket;
  }

  /** Opens a WebSocket that has shaken hands; throws if the server refuses. */
  static async connect(
    port: number,
    path: string,
    protocol = "json",
    version = 1,
  ): Promise<RawSocket> {
    const socket = await RawSocket.shakeHands(port, protocol, path, version);
    const answer = decoder.decode((await socket.receive()).payload);
    if (answer === "{}\x1e") return socket;
    throw new Error(`Cannot shake hands: ${answer}`);
  }

  /** Sends one frame, masked as a client must. */
  async send(opcode: number, payload: Uint8Array | string, final = true): Promise<void> {
    await this.write(maskedFrame(opcode, payload, final));
  }

  /** Sends one text message. */
  async sendText(text: string): Promise<void> {
    await this.send(Opcode.Text, text);
  }

  /** Sends a close frame with any code at all; without one it is empty. */
  async sendClose(code?: number, reason = ""): Promise<void> {
    const head = code === undefined ? [] : [code >> 8, code & 0xff];
    await this.send(Opcode.Close, new Uint8Array([...head, ...encoder.encode(reason)]));
  }

  /** Sends bytes as they are. */
  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#connection, bytes);
  }

  /** The next frame, whatever it is; fails if the connection has ended. */
  async receive(): Promise<Frame> {
    const frame = await this.next();
    if (frame !== undefined) return frame;
    throw new Error("Cannot read frame: the connection ended");
  }

  /** The next frame; `undefined` when the connection has ended, by whatever. */
  async next(): Promise<Frame | undefined> {
    const [first, second] = await this.#reader.take(2) ?? [];
    if (first === undefined || second === undefined) return undefined;
    // A server never masks.
    if ((second & 0x80) !== 0) throw new Error("Unexpected frame: it is masked");
    const wide = await this.#reader.take(second < 126 ? 0 : second === 126 ? 2 : 8);
    const length = second < 126 ? second : wide?.reduce((sum, byte) => sum * 256 + byte, 0);
    const payload = length === undefined ? undefined : await this.#reader.take(length);
    return payload && { opcode: first & 0x0f, final: (first & 0x80) !== 0, payload };
  }

  /** Reads until the server has ended the connection; fails if more frames come. */
  async ended(): Promise<void> {
    const frame = await this.next();
    if (frame !== undefined) throw new Error(`Unexpected frame: opcode ${frame.opcode}`);
  }

  /**
   * Cuts the connection without a close frame, once all that was sent has left. Returns the frames
   * that were still under way; when it resolves the server knows.
   */
  async cut(): Promise<Frame[]> {
    await this.#connection.closeWrite();
    const late: Frame[] = [];
    for (let frame; (frame = await this.next()) !== undefined;) late.push(frame);
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
}
