import type { TextOrBytes } from "./frame.ts";
import type { FrameReader } from "./framing.ts";
import type { HubMessage } from "./messages.ts";

/** An encoding of hub messages. Pure: no I/O, no clock, no state between calls. */
export interface HubProtocol {
  /** The name in the handshake, compared without case there and exactly between nodes. */
  readonly name: string;
  /** Whether frames are text or bytes. */
  readonly format: "text" | "binary";
  /** Cuts incoming chunks into records of at most `maximumBytes` (`null`: any size). */
  reader(maximumBytes: number | null): FrameReader;
  /**
   * The message in a record, or `undefined` for a message type this version does not know.
   *
   * @throws {ProtocolError} if the record breaks the rules.
   */
  parse(record: TextOrBytes): HubMessage | undefined;
  /**
   * The content of a message's frame.
   *
   * @throws {TypeError} if a value in it cannot be serialised.
   */
  write(message: HubMessage): TextOrBytes;
  /** The content of the frame of a record that was read. */
  frame(record: TextOrBytes): TextOrBytes;
}
