import { ask, type HttpAnswer, requestBytes } from "./http.ts";
import { invocation } from "./messages.ts";
import { dial, writeAll } from "./tcp.ts";
import { bounded } from "./wait.ts";
import { type Answer, type ProtocolName, readAnswers } from "./wire_format.ts";

/** A connection by long polling or events, request by request. */
export class PollingPeer {
  /** Its URL, with the token. */
  readonly url: string;

  private constructor(url: string) {
    this.url = url;
  }

  /** One that was negotiated; `query` comes with every request, as `&user=ann`. */
  static async negotiate(port: number, query = ""): Promise<PollingPeer> {
    const hub = `http://127.0.0.1:${port}/hub`;
    const { text } = await ask(`${hub}/negotiate?negotiateVersion=1${query}`, { method: "POST" });
    return new PollingPeer(`${hub}?id=${JSON.parse(text).connectionToken}${query}`);
  }

  /** One by long polling that has shaken hands. */
  static async connect(
    port: number,
    query = "",
    protocol: ProtocolName = "json",
  ): Promise<PollingPeer> {
    const peer = await PollingPeer.negotiate(port, query);
    await peer.poll();
    await peer.post(`{"protocol":"${protocol}","version":1}\x1e`);
    const { text } = await peer.poll();
    if (text === "{}\x1e") return peer;
    throw new Error(`Cannot shake hands: ${text}`);
  }

  /** The same connection, as the node on another port is asked for it. */
  at(port: number): PollingPeer {
    const url = new URL(this.url);
    url.port = `${port}`;
    return new PollingPeer(url.href);
  }

  /** The same connection, with another text in its URL. */
  with(text: string, other: string): PollingPeer {
    return new PollingPeer(this.url.replace(text, other));
  }

  /** Any request. */
  send(method: string, init: RequestInit = {}): Promise<HttpAnswer> {
    return ask(this.url, { method, ...init });
  }

  /** A poll. */
  poll(init: RequestInit = {}): Promise<HttpAnswer> {
    return this.send("GET", init);
  }

  /** What a poll brings of a protocol. */
  async answers(protocol: ProtocolName): Promise<Answer[]> {
    const response = await bounded(fetch(this.url), "an answer to a poll");
    return readAnswers(protocol, await bounded(response.bytes(), "the body of a poll"));
  }

  /** Messages to the hub. */
  post(body: BodyInit): Promise<HttpAnswer> {
    return this.send("POST", { body });
  }

  /** Ends the connection. */
  delete(): Promise<HttpAnswer> {
    return this.send("DELETE");
  }

  /** Calls a method without waiting for its result. */
  invoke(target: string, ...args: readonly unknown[]): Promise<HttpAnswer> {
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
    const { port, pathname, search } = new URL(this.url);
    const connection = await dial(Number(port));
    const head = requestBytes({ method, path: `${pathname}${search}`, headers });
    await writeAll(connection, new Uint8Array([...head, ...new TextEncoder().encode(text)]));
    return connection;
  }
}
