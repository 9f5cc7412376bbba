/**
 * The part of npm `ws` 8 that `web_sockets.ts` uses. Its published types lack `closeTimeout`, and bring those of
 * Node along.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** A WebSocket of a server. */
export interface WebSocket {
  readonly readyState: number;
  /** Bytes that were written and not taken by the operating system. */
  readonly bufferedAmount: number;
  close(code: number, reason?: string): void;
  /** Destroys the socket. */
  terminate(): void;
  pause(): void;
  resume(): void;
  pong(data: Uint8Array): void;
  send(data: string | Uint8Array, options: { readonly binary: boolean }): void;
  on(event: "message", listener: (data: Buffer, binary: boolean) => void): void;
  on(event: "close", listener: (code: number) => void): void;
  on(event: "ping", listener: (data: Buffer) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

/** Takes WebSockets out of an HTTP server. */
export declare class WebSocketServer {
  constructor(options: {
    readonly noServer: true;
    readonly perMessageDeflate: false;
    readonly autoPong: false;
    readonly handleProtocols: () => false;
    readonly maxPayload: number;
    readonly maxFragments: number;
    readonly maxBufferedChunks: number;
    readonly closeTimeout: number;
  });
  readonly clients: ReadonlySet<WebSocket>;
  on(event: "wsClientError", listener: () => void): void;
  /** Calls `opened` at once, or never. */
  handleUpgrade(
    message: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    opened: (websocket: WebSocket) => void,
  ): void;
}
