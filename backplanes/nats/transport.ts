/**
 * The socket under NATS's client.
 *
 * Deno cannot use the transport of npm `nats` safely. It removes every listener of a socket before it
 * ends the socket, so a late ECONNRESET ends the process (seen with one in seven refused passwords).
 * A server that accepts and then sends nothing keeps the socket for good. And the certificate of a
 * server named by its address is compared with `localhost`.
 *
 * @module
 */
import { createConnection, isIP, type Socket } from "node:net";
import { connect as startTls } from "node:tls";
import {
  checkOptions,
  type ConnectionOptions,
  ErrorCode,
  NatsError,
  type Server,
  setTransportFactory,
  type Transport,
} from "nats/lib/nats-base-client/internal_mod.js";
import { nodeResolveHost, NodeTransport } from "nats/lib/src/node_transport.js";

/** Options of this transport beside those of NATS's client, which hands them through. */
export interface SocketOptions extends ConnectionOptions {
  /** Called with the transport before it connects, so that it can be ended at any time. */
  readonly transportOpened?: (transport: SocketTransport) => void;
}

const NEWLINE = 10;
const decoder = new TextDecoder();

/**
 * - **Ended at any time**: `close` frees the socket in every phase and resolves when it is free.
 * - **Last bytes**: bytes that arrived before the server closed are handed out before `closed`
 *   resolves; bytes that wait when `close` is called are dropped.
 */
export class SocketTransport implements Transport {
  /** The client library that the server's monitoring shows. */
  readonly lang = "nats.js";
  readonly version = "2.29.3";
  closeError?: Error;
  #socket: Socket | undefined;
  #encrypted = false;
  #chunks: Uint8Array[] = [];
  #arrived = Promise.withResolvers<void>();
  #ended = false;
  #reading = false;
  #dropped = false;
  readonly #released: Promise<void>[] = [];
  readonly #closed = Promise.withResolvers<Error | void>();
  readonly #failed = Promise.withResolvers<never>();

  constructor() {
    this.#failed.promise.catch(() => {});
  }

  /** Connects, reads the server's INFO and starts TLS where it is wanted or offered. */
  async connect(server: Server, options: SocketOptions): Promise<void> {
    options.transportOpened?.(this);
    if (this.#ended) throw NatsError.errorForCode(ErrorCode.ConnectionClosed);
    const socket = createConnection(server.port, server.hostname);
    socket.setNoDelay(true);
    this.#adopt(socket);
    const info = await this.#expect(this.#firstLine(socket));
    if (options.tls && !info.tls_required && !info.tls_available) {
      throw new NatsError("the server has no TLS", ErrorCode.ServerOptionNotAvailable);
    }
    checkOptions(info, options);
    if (info.tls_required || (info.tls_available && options.tls !== null)) {
      await this.#expect(this.#encrypt(socket, server.hostname, options));
    }
    this.#socket?.on("data", (chunk: Uint8Array) => this.#receive(chunk));
  }

  /** Hands out the arriving bytes until the end. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    this.#reading = true;
    try {
      while (true) {
        const chunks = this.#chunks;
        this.#chunks = [];
        for (const chunk of chunks) {
          yield chunk;
          if (this.#dropped) return;
        }
        if (this.#chunks.length > 0) continue;
        if (this.#ended) break;
        await this.#arrived.promise;
        this.#arrived = Promise.withResolvers();
      }
    } finally {
      // The loop also ends when the protocol cannot read a chunk: no later chunk would be read.
      this.#reading = false;
      this.#destroy();
      this.#closed.resolve(this.closeError);
    }
  }

  /** Whether the connection has ended. */
  get isClosed(): boolean {
    return this.#ended;
  }

  /** Whether TLS is in place. */
  isEncrypted(): boolean {
    return this.#encrypted;
  }

  /** Writes `frame`; a failed write shows as the end of the connection. */
  send(frame: Uint8Array): void {
    if (!this.#ended) this.#socket?.write(frame);
  }

  /** Ends the connection in any phase; resolves when the socket is free. */
  async close(error?: Error): Promise<void> {
    this.#dropped = true;
    this.#end(error);
    this.#closed.resolve(this.closeError);
    await Promise.all(this.#released);
  }

  /** As {@link close}. */
  disconnect(): void {
    this.close();
  }

  /** Resolves at the end, with the reason if there is one. */
  closed(): Promise<Error | void> {
    return this.#closed.promise;
  }

  /** There is nothing to discard. */
  discard(): void {}

  #adopt(socket: Socket): void {
    this.#socket = socket;
    this.#released.push(new Promise((resolve) => socket.once("close", () => resolve())));
    // These listeners stay as long as the socket: an error without a listener ends the process.
    socket.on("error", (error: Error) => this.#end(error));
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
  }

  #expect<T>(step: Promise<T>): Promise<T> {
    return Promise.race([step, this.#failed.promise]);
  }

  #firstLine(socket: Socket): Promise<Parameters<typeof checkOptions>[0]> {
    return new Promise((resolve, reject) => {
      let text = "";
      const read = (chunk: Uint8Array) => {
        this.#receive(chunk);
        text += decoder.decode(chunk);
        if (chunk.indexOf(NEWLINE) === -1) return;
        socket.off("data", read);
        try {
          if (!text.startsWith("INFO ")) throw new Error("it does not speak NATS");
          resolve(JSON.parse(text.slice(5, text.indexOf("\n"))));
        } catch (error) {
          reject(error);
        }
      };
      socket.on("data", read);
    });
  }

  #encrypt(socket: Socket, host: string, options: SocketOptions): Promise<void> {
    return new Promise((resolve) => {
      // The certificate must name `host`; the server name extension carries no addresses.
      const encrypted = startTls({
        ...options.tls,
        socket,
        host,
        ...isIP(host) === 0 && { servername: host },
      });
      this.#adopt(encrypted);
      encrypted.once("secureConnect", () => {
        this.#encrypted = true;
        resolve();
      });
    });
  }

  #receive(chunk: Uint8Array): void {
    // Node's Buffer is a subclass; handlers are promised a plain Uint8Array.
    this.#chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#arrived.resolve();
  }

  #end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    if (error !== undefined) this.closeError = error;
    this.#failed.reject(error ?? new Error("the server closed the connection"));
    this.#destroy();
    this.#arrived.resolve();
    if (!this.#reading) this.#closed.resolve(this.closeError);
  }

  #destroy(): void {
    this.#ended = true;
    this.#socket?.destroy();
  }
}

let lent = 0;

/**
 * Makes the client use our transport, until the returned function is called.
 *
 * npm `nats` keeps one factory in a process, and its other users there ask that factory at each
 * reconnect: they must find the one that `connect` of npm `nats` sets.
 */
export function lendTransport(): () => void {
  lent++;
  setTransportFactory({ factory: () => new SocketTransport() });
  let given = false;
  return () => {
    if (given) return;
    given = true;
    if (--lent > 0) return;
    setTransportFactory({ factory: () => new NodeTransport(), dnsResolveFn: nodeResolveHost });
  };
}
