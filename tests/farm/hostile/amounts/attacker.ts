import { delay } from "@std/async";
import { requestBytes } from "../../../kit/http.ts";
import { frame, Opcode, upgradeRequest } from "../../../kit/socket.ts";
import { frameOf, joined, type ProtocolName, type Written } from "../../../kit/wire_format.ts";
import { HostileSocket, type Way } from "./hostile_socket.ts";

/** What a client does for as long as it may, before it leaves. */
export type Action = (attacker: Attacker) => Promise<void>;

/** How a client opens a WebSocket. */
export interface WebSocketOptions {
  readonly protocol?: ProtocolName;
  /** The token of a connection that was negotiated. */
  readonly token?: string;
  /** What the path has besides. */
  readonly query?: string;
  /** Whether the client counts messages, because it may come back. */
  readonly stateful?: boolean;
  readonly reads?: boolean;
  /** The port, if it is not that of the node that is attacked. */
  readonly port?: number;
}

/** A connection that was negotiated. */
export interface Negotiated {
  readonly connectionId: string;
  readonly connectionToken: string;
}

/** How often a client that only reads shows that it is there, in milliseconds. */
const PING_INTERVAL = 500;

/** The most sockets of one client, and its pause when the node has refused one, in milliseconds. */
const MAXIMUM_SOCKETS = 100;
const RETURN_INTERVAL = 10;

const PING = packed([{ type: 6 }]);

/** A node has refused a negotiation. */
class RefusedError extends Error {}

/** Messages as one WebSocket frame. */
export function packed(
  messages: readonly Written[],
  protocol: ProtocolName = "json",
): Uint8Array<ArrayBuffer> {
  return frame(Opcode.Binary, joined(...messages.map((message) => frameOf(protocol, message))));
}

/** One client that does its worst for a while, and then leaves. */
export class Attacker {
  /** The port of the node that is attacked, and of another node of the farm. */
  readonly port: number;
  readonly far: number;
  /** The port of the bus, and what the channels of the nodes begin with there. */
  readonly redis: number;
  readonly prefix: string;
  /** A number that no other client has. */
  readonly number: number;
  /** How the client leaves. */
  readonly way: Way;
  /** Aborted when the client has to leave. */
  readonly signal: AbortSignal;
  /** How many bytes the system has taken of what was written. */
  taken = 0;
  readonly #maximumBytes: number;
  readonly #sockets = new Set<HostileSocket>();

  constructor(
    parts: Pick<Attacker, "port" | "far" | "redis" | "prefix" | "number" | "way" | "signal">,
    maximumBytes: number,
  ) {
    this.#maximumBytes = maximumBytes;
    this.port = parts.port;
    this.far = parts.far;
    this.redis = parts.redis;
    this.prefix = parts.prefix;
    this.number = parts.number;
    this.way = parts.way;
    this.signal = parts.signal;
  }

  /** A TCP connection. When there are too many, the oldest is dropped. */
  async open(reads = true, port: number = this.port): Promise<HostileSocket> {
    const { signal } = this;
    const socket = await HostileSocket.open({ port, reads, signal });
    this.#sockets.add(socket);
    const [oldest] = this.#sockets;
    if (this.#sockets.size > MAXIMUM_SOCKETS && oldest !== undefined) await this.#drop(oldest);
    return socket;
  }

  /** A WebSocket that has sent its handshake; the answer is not waited for. */
  async webSocket(options: WebSocketOptions = {}): Promise<HostileSocket> {
    const { protocol = "json", token, query = "", stateful = false, reads = true, port } = options;
    const socket = await this.open(reads, port);
    const handshake = `${JSON.stringify({ protocol, version: stateful ? 2 : 1 })}\x1e`;
    const path = token === undefined ? `/hub?${query}` : `/hub?id=${token}`;
    await socket.write(joined(upgradeRequest(path), frame(Opcode.Text, handshake)));
    return socket;
  }

  /** Negotiates a connection. */
  async negotiate(query = "", port: number = this.port): Promise<Negotiated> {
    const url = `http://127.0.0.1:${port}/hub/negotiate?negotiateVersion=1${query}`;
    // fetch() rejects with a TypeError if the node drops the request.
    const response = await fetch(url, { method: "POST", signal: this.signal });
    const text = await response.text();
    if (response.status !== 200) throw new RefusedError(`${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** A connection by long polling that has sent its handshake; its path, with the token. */
  async polling(port: number = this.port): Promise<string> {
    const { connectionToken } = await this.negotiate("", port);
    const path = `/hub?id=${connectionToken}`;
    const poll = await this.open(true, port);
    await poll.write(requestBytes({ method: "GET", path }));
    await poll.heard();
    const post = await this.open(true, port);
    const body = '{"protocol":"json","version":1}\x1e';
    await post.write(requestBytes({ method: "POST", path, body }));
    await post.heard();
    return path;
  }

  /** Writes chunks for as long as there are any, and the node, the time and the trial allow. */
  async flood(socket: HostileSocket, chunks: Iterable<Uint8Array>): Promise<void> {
    for (const chunk of chunks) {
      if (this.taken >= this.#maximumBytes || !await socket.write(chunk)) return;
      this.taken += chunk.length;
    }
  }

  /** Stays until the time is over, or the node has ended the WebSocket; pings meanwhile. */
  async stay(socket: HostileSocket): Promise<void> {
    while (await socket.write(PING)) await this.pause(PING_INTERVAL);
  }

  /** Stays, and says nothing. */
  async remain(socket: HostileSocket): Promise<void> {
    while (await socket.write(new Uint8Array())) await this.pause(PING_INTERVAL);
  }

  /** Waits, but not longer than the client may stay. */
  async pause(milliseconds: number): Promise<void> {
    await delay(milliseconds, { signal: this.signal }).catch(() => {});
  }

  /**
   * Does something again and again, until the time is over. What the node refuses or drops is not an
   * error: the client comes back.
   */
  async again(work: (round: number) => Promise<void>): Promise<void> {
    for (let round = 0; !this.signal.aborted; round++) {
      await work(round).catch((error) => {
        if (!this.signal.aborted && !isRefusal(error)) throw error;
        return this.pause(RETURN_INTERVAL);
      });
    }
  }

  /** Drops every connection that is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.#sockets, (socket) => this.#drop(socket)));
  }

  async #drop(socket: HostileSocket): Promise<void> {
    this.#sockets.delete(socket);
    await socket[Symbol.asyncDispose]();
  }
}

/** Whether an error only says that the node did not take the connection or the request. */
function isRefusal(error: unknown): boolean {
  return error instanceof RefusedError || error instanceof TypeError ||
    ["ECONNRESET", "ECONNREFUSED", "EPIPE"].includes((error as { code?: string }).code ?? "");
}
