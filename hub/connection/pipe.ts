import type { Frame, TextOrBytes } from "../protocol/frame.ts";

/**
 * The way to one client, over any transport. One {@link write} is one WebSocket message, one
 * event of a stream or one chunk of a poll, and holds whole records only.
 */
export interface Pipe {
  /** Whether the pipe carries text only; binary protocols are refused then. */
  readonly textOnly?: boolean;
  /** Whether the transport itself notices that a client is gone, so that no pings are needed. */
  readonly inherentKeepAlive?: boolean;
  /**
   * Whether the client has begun to close the pipe, so that no frame reaches the client any more. Absent
   * if the transport reports such an end at once.
   */
  readonly closing?: boolean;
  /** Whether {@link bufferedBytes} counts a frame until the whole frame has left. */
  readonly reportsWholeFrames?: boolean;
  /** Bytes that were written and have not left this process. */
  readonly bufferedBytes: number;
  /** Hands over whole records; never blocks. Without effect once closed. */
  write(frames: Frame): void;
  /** Ends the pipe after the written records, with a WebSocket close code. Idempotent. */
  close(code: number): void;
  /** Ends the pipe at once where the transport can; written records may be lost. Idempotent. */
  terminate(): void;
  /** Ends the pipe at once without a close frame, as a network would; absent if the transport cannot. Idempotent. */
  drop?(): void;
  /** Asks the transport to stop reading, where it can. */
  pause(): void;
  /** Asks the transport to read again. */
  resume(): void;
}

/** Receives the chunks of a transport, and its end: the other end of its {@link Pipe}. */
export interface PipeListener {
  /** A chunk has arrived; the boundaries of chunks have no meaning. */
  receive(chunk: TextOrBytes): void;
  /**
   * The client is gone, or the pipe was closed. May be called more than once. `vanished` is whether the
   * client left without closing the pipe, and may come back on another one.
   */
  pipeClosed(vanished?: boolean): void;
}
