import type { Frame, TransferFormat } from "../protocol/protocol.ts";

/**
 * The way to one client, whatever the transport. One {@link write} is one WebSocket message, one
 * event of a stream or one chunk of a poll, and holds whole records only.
 */
export interface Pipe {
  /** How frames travel; text until the handshake has chosen a protocol. */
  format: TransferFormat;
  /** Whether it carries text only; protocols of bytes are refused then. */
  readonly textOnly?: boolean;
  /** Whether the transport itself notices that a client is gone, so that nobody has to ping. */
  readonly inherentKeepAlive?: boolean;
  /** Bytes that were written and have not left this process. */
  readonly bufferedBytes: number;
  /** Hands over whole records; never blocks. Without effect once closed. */
  write(batch: Frame): void;
  /** Ends the pipe after what was written, with a WebSocket close code. Idempotent. */
  close(code: number): void;
  /** Ends the pipe at once where the transport can; what was written may be lost. Idempotent. */
  terminate(): void;
  /** Asks the transport to stop reading, where it can. */
  pause(): void;
  /** Asks the transport to read again. */
  resume(): void;
}

/** What a transport tells the connection at the other end of its {@link Pipe}. */
export interface PipeListener {
  /** Something arrived; chunk boundaries have no meaning. */
  receive(chunk: Frame): void;
  /**
   * The client is gone, or the pipe was closed. May be called more than once. `vanished` is whether it
   * went without a word, and may come back on another pipe.
   */
  pipeClosed(vanished?: boolean): void;
}

/** What a connection came through, which may have something to clear away behind it. */
export interface PipeOwner {
  /** The connection has ended, and its hub has dealt with that. */
  connectionEnded(): void;
}

/** A listener whose client may lose its pipe and come back on another. */
export interface StatefulListener extends PipeListener {
  /** Whether it still may. */
  readonly isStateful: boolean;
  /** The client has come back on `pipe`, which takes over at once. Returns who listens to that. */
  reattach(pipe: Pipe): PipeListener;
}
