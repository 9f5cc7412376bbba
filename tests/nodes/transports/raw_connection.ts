import { bounded } from "../../kit/wait.ts";
import { requestBytes } from "../../kit/http.ts";
import { dial, writeAll } from "../../kit/tcp.ts";
import { invocation } from "../../kit/messages.ts";

/** What a request was answered. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A connection by long polling or events, request by request. */
export class RawConnection {
  readonly url: string;
  readonly #port: number;
  readonly #query: string;

  private constructor(port: number, token: string) {
    this.#port = port;
    this.#query = `?id=${token}`;
    this.url = `http://127.0.0.1:${port}/hub${this.#query}`;
  }

  /** A connection that was negotiated. */
  static async negotiate(port: number): Promise<RawConnection> {
    const url = `http://127.0.0.1:${port}/hub/negotiate?negotiateVersion=1`;
    const response = await bounded(fetch(url, { method: "POST" }));
    return new RawConnection(port, (await response.json()).connectionToken);
  }

  /** A connection by long polling that has shaken hands. */
  static async polling(port: number): Promise<RawConnection> {
    const connection = await RawConnection.negotiate(port);
    await connection.poll();
    await connection.post('{"protocol":"json","version":1}\x1e');
    await connection.poll();
    return connection;
  }

  /** Any request. */
  async send(method: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(this.url, { method, ...init });
    return { status: response.status, text: await response.text() };
  }

  /** A poll. */
  poll(init: RequestInit = {}): Promise<Answer> {
    return this.send("GET", init);
  }

  /** Messages to the hub. */
  post(body: string): Promise<Answer> {
    return this.send("POST", { body });
  }

  /** Calls a method without waiting for its result. */
  invoke(target: string, ...args: unknown[]): Promise<Answer> {
    return this.post(invocation(target, ...args));
  }

  /** Opens the event stream, on a socket that nobody reads. */
  async openUnread(): Promise<Deno.TcpConn> {
    return await this.start("GET", { accept: "text/event-stream" });
  }

  /** Sends the head of a request and perhaps a part of its body. */
  async start(
    method: string,
    headers: Readonly<Record<string, string>>,
    text = "",
  ): Promise<Deno.TcpConn> {
    const socket = await dial(this.#port);
    const head = requestBytes({ method, path: `/hub${this.#query}`, headers });
    await writeAll(socket, new Uint8Array([...head, ...new TextEncoder().encode(text)]));
    return socket;
  }
}
