import type { Frame } from "../protocol/frame.ts";

/** A connection as routing sees it. */
export interface Recipient {
  /** The connection id. */
  readonly id: string;
  /** The name of its hub protocol. */
  readonly protocol: string;
  /** Whether it has ended, or is ending. */
  readonly isClosed: boolean;
  /**
   * Hands over one frame; never blocks, never throws. Without effect once the connection closes. Returns
   * whether the sender should wait with the next frame.
   */
  write(frame: Frame): boolean;
  /** A promise while a sender should wait; not for ever. */
  untilWritable(): Promise<void> | undefined;
  /** There was a message for it that its sender did not write in its protocol. */
  unreadable(): void;
}
