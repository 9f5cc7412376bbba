/**
 * The client side of a protocol, written as bytes by hand.
 *
 * @module
 */

/** The methods of the hub of every subject. */
export type Call =
  /** Sends the payload to every connection. */
  | { readonly method: "all" }
  /** Sends the payload to the members of a group. */
  | { readonly method: "group"; readonly name: string }
  /** Sends the payload to one connection. */
  | { readonly method: "one"; readonly name: string }
  /** Returns the payload. */
  | { readonly method: "echo" }
  /** Joins or leaves a group; returns when that is done. */
  | { readonly method: "join" | "leave"; readonly name: string }
  /** Adds another connection to a group; returns when that is done, or was requested. */
  | { readonly method: "enlist"; readonly name: string; readonly group: string };

/** Whether a call is answered; other calls come back as messages. */
export function isAnswered({ method }: Call): boolean {
  return method !== "all" && method !== "group" && method !== "one";
}

/** The arguments of a call before its payload. */
export function namesOf(call: Call): readonly string[] {
  if (!("name" in call)) return [];
  return "group" in call ? [call.name, call.group] : [call.name];
}

/** One step of opening a connection. */
export type Step =
  /** Send an HTTP request and wait for the body of the answer. */
  | { readonly http: string }
  /** Send a frame, if any, and wait for the text of the next one. */
  | { readonly frame: Uint8Array<ArrayBuffer> | undefined };

/** The conversation that opens a connection; it returns the connection's id. */
export type Opening = Generator<Step, string, string>;

/** The client side of a protocol. */
export interface Dialect {
  /** Opens a connection to a host such as `127.0.0.1:8000`. */
  open(host: string): Opening;
  /** The frame of a call. It has one empty token: in the payload, or in a part that the answer repeats. */
  call(call: Call, payload: string): Uint8Array<ArrayBuffer>;
  /** The keep-alive frame; it is sent as often as by the official client. */
  readonly keepAlive?: Uint8Array<ArrayBuffer>;
  /** The answer to a message of the server, if the message needs an answer. */
  answer?(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> | undefined;
}

/** A request without a body. */
export function request(method: "GET" | "POST", path: string, host: string): string {
  const length = method === "POST" ? "Content-Length: 0\r\n" : "";
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${length}\r\n`;
}

/** The request that opens a WebSocket. */
export function upgrade(path: string, host: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
}
