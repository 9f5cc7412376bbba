import type { Dialect, Opening, Step } from "./dialects/dialect.ts";
import { clientFrame, frameAt, OPCODE } from "./frames.ts";
import type { Sockets } from "./sockets.ts";
import { scanTokens } from "./tokens.ts";

/** The events of a {@link Connection}. */
export interface ConnectionListener {
  /** The connection is open and has its id. */
  opened(connection: Connection): void;
  /** A token has arrived. */
  token(connection: Connection, number: number): void;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A client of the server that is measured. */
export class Connection {
  /** The id from the server; empty until the connection is open. */
  id = "";
  /** The index of its node. */
  readonly node: number;
  readonly socket: number;
  readonly #sockets: Sockets;
  readonly #dialect: Dialect;
  readonly #listener: ConnectionListener;
  readonly #found: (number: number) => void;
  #opening: Opening | undefined;
  #step: Step | undefined;
  /** The start of a frame or HTTP response that has not arrived completely. */
  #rest: Uint8Array<ArrayBuffer> | undefined;

  constructor(parts: {
    readonly sockets: Sockets;
    readonly dialect: Dialect;
    readonly listener: ConnectionListener;
    readonly node: number;
    readonly port: number;
  }) {
    const { sockets, dialect, listener, node, port } = parts;
    this.node = node;
    this.#sockets = sockets;
    this.#dialect = dialect;
    this.#listener = listener;
    this.#found = (number) => listener.token(this, number);
    this.socket = sockets.open(port);
    this.#opening = dialect.open(`127.0.0.1:${port}`);
    this.#advance("");
  }

  /** Sends a frame. */
  send(frame: Uint8Array<ArrayBuffer>): void {
    this.#sockets.send(this.socket, frame);
  }

  /** Closes the connection. */
  close(): void {
    this.#sockets.close(this.socket);
  }

  /** Reads bytes from the node. */
  receive(chunk: Uint8Array<ArrayBuffer>): void {
    let bytes = chunk;
    if (this.#rest !== undefined) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
      this.#rest = undefined;
    }
    let at = 0;
    while (at < bytes.length) {
      const end = this.#expectsHttp ? this.#readHttp(bytes, at) : this.#readFrame(bytes, at);
      if (end === undefined) {
        this.#rest = bytes.slice(at);
        return;
      }
      at = end;
    }
  }

  get #expectsHttp(): boolean {
    return this.#step !== undefined && "http" in this.#step;
  }

  #readHttp(bytes: Uint8Array, at: number): number | undefined {
    const text = decoder.decode(bytes.subarray(at));
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) return undefined;
    if (!/^HTTP\/1.1 (?:200|101) /.test(text)) {
      throw new Error(`Cannot open connection: ${text.slice(0, 100)}`);
    }
    const [, length = "0"] = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head)) ?? [];
    // The response is ASCII, so characters are bytes.
    const body = text.slice(head + 4, head + 4 + Number(length));
    if (body.length < Number(length)) return undefined;
    this.#advance(body);
    return at + head + 4 + body.length;
  }

  #readFrame(bytes: Uint8Array, at: number): number | undefined {
    const frame = frameAt(bytes, at);
    if (frame === undefined) return undefined;
    const { opcode, start, end } = frame;
    if (opcode === OPCODE.close) throw new Error("Cannot go on: a node has closed a connection");
    if (opcode === OPCODE.ping) this.send(clientFrame(bytes.slice(start, end), OPCODE.pong));
    else if (opcode === OPCODE.pong) return end;
    else if (this.#opening !== undefined) this.#advance(decoder.decode(bytes.subarray(start, end)));
    else this.#readMessage(bytes, start, end);
    return end;
  }

  #readMessage(bytes: Uint8Array, start: number, end: number): void {
    scanTokens(bytes, start, end, this.#found);
    const answer = this.#dialect.answer?.(bytes, start, end);
    if (answer !== undefined) this.send(answer);
  }

  #advance(received: string): void {
    const { value, done } = this.#opening?.next(received) ?? {};
    if (value === undefined) return;
    if (done || typeof value === "string") {
      this.id = `${value}`;
      this.#opening = undefined;
      this.#step = undefined;
      this.#listener.opened(this);
      return;
    }
    this.#step = value;
    const bytes = "http" in value ? encoder.encode(value.http) : value.frame;
    if (bytes !== undefined) this.send(bytes);
  }
}
