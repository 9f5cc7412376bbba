import type { FrameReader } from "./framing.ts";
import type { HubMessage } from "./messages.ts";

/** One or more complete records as they travel: text for text protocols, bytes for binary ones. */
export type Frame = string | Uint8Array;

/** How a transport carries frames. */
export type TransferFormat = "text" | "binary";

/** An encoding of hub messages. Pure: no I/O, no clock, no state between calls. */
export interface HubProtocol {
  /** The name in the handshake, compared without case there and exactly between nodes. */
  readonly name: string;
  /** Whether frames are text or bytes. */
  readonly format: TransferFormat;
  /** Cuts incoming chunks into records of at most `maximumBytes` (`null`: any size). */
  reader(maximumBytes: number | null): FrameReader;
  /**
   * The message in a record, or `undefined` for a message type this version does not know.
   *
   * @throws {ProtocolError} if the record breaks the rules.
   */
  parse(record: Frame): HubMessage | undefined;
  /**
   * The complete frame of a message.
   *
   * @throws {TypeError} if a value in it cannot be serialised.
   */
  write(message: HubMessage): Frame;
  /** The complete frame of a record that was read. */
  frame(record: Frame): Frame;
}

/**
 * A client broke the rules. The text goes to the client only with `detailedErrors`; `name` is the
 * upstream exception's, because clients show it.
 */
export class ProtocolError extends Error {
  /** Makes the error. */
  constructor(
    message: string,
    name:
      | "InvalidDataException"
      | "FormatException"
      | "EndOfStreamException"
      | "MessagePackSerializationException"
      | "OperationCanceledException"
      | "JsonReaderException" = "InvalidDataException",
  ) {
    super(message);
    this.name = name;
  }
}
