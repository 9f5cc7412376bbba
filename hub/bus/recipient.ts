import type { Frame } from "../protocol/protocol.ts";

/** A connection as routing sees it. */
export interface Recipient {
  /** The connection id. */
  readonly id: string;
  /** The name of its hub protocol. */
  readonly protocol: string;
  /** Whether it has ended, or is ending. */
  readonly isClosed: boolean;
  /** Hands over one frame; never blocks, never throws. Without effect once the connection closes. */
  write(frame: Frame): void;
  /** There was a message for it that its sender did not write in its protocol. */
  unreadable(): void;
}
