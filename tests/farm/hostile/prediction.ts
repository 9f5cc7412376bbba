import { type Heard, Offence } from "./heard.ts";
import { hearJson } from "./hear_json.ts";
import { hearMessagePack } from "./hear_messagepack.ts";
import { ReferenceHub } from "./reference_hub.ts";
import { joined, type ProtocolName } from "../../kit/wire_format.ts";

/** The limit of a message that nodes have unless told otherwise, in bytes. */
export const MAXIMUM_MESSAGE_BYTES = 32_768;

const RECORD_SEPARATOR = 0x1e;

/** Where a record stands in bytes: its end is behind its framing. */
interface Extent {
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

const HEAR: Readonly<Record<ProtocolName, (record: Uint8Array) => Heard | undefined>> = {
  json: hearJson,
  messagepack: hearMessagePack,
};

/**
 * The bytes of a connection, cut and read by the rules of `specs/signalr-wire.md §6 and §8`: they are
 * written here a second time, so that a mistake of the server's own reading is seen.
 */
export class Hearing {
  readonly #protocol: ProtocolName;
  readonly #maximum: number;
  #bytes: Uint8Array = new Uint8Array();

  constructor(protocol: ProtocolName, maximumBytes: number) {
    this.#protocol = protocol;
    this.#maximum = maximumBytes;
  }

  /** Whether the last byte ended a message. */
  get whole(): boolean {
    return this.#bytes.length === 0;
  }

  /** Bytes have come. */
  add(bytes: Uint8Array): void {
    this.#bytes = joined(this.#bytes, bytes);
  }

  /**
   * The next message, which is none if its type is not known; `undefined` until more comes.
   *
   * @throws {Offence} if the bytes break the rules.
   */
  next(): { readonly message: Heard | undefined } | undefined {
    const extent = extentOf(this.#protocol, this.#bytes, this.#maximum);
    if (extent === undefined) return undefined;
    const message = HEAR[this.#protocol](this.#bytes.subarray(extent.from, extent.to));
    this.#bytes = this.#bytes.subarray(extent.end);
    return { message };
  }
}

/** What must become of the bytes of a connection: they are read, and handed to the {@link ReferenceHub}. */
export class Prediction {
  readonly hub: ReferenceHub;
  readonly #hearing: Hearing;

  constructor(protocol: ProtocolName, stateful = false) {
    this.#hearing = new Hearing(protocol, MAXIMUM_MESSAGE_BYTES);
    this.hub = new ReferenceHub(stateful);
  }

  /** Whether the last byte ended a message. */
  get whole(): boolean {
    return this.#hearing.whole;
  }

  /** Bytes have come. */
  add(bytes: Uint8Array): void {
    this.#hearing.add(bytes);
    try {
      while (this.hub.closed === undefined) {
        const heard = this.#hearing.next();
        if (heard === undefined) return;
        if (heard.message !== undefined) this.hub.receive(heard.message);
      }
    } catch (error) {
      if (!(error instanceof Offence)) throw error;
      this.hub.breaks(error);
    }
  }
}

/** The first record; `undefined` while it is not whole. */
function extentOf(
  protocol: ProtocolName,
  bytes: Uint8Array,
  maximum: number,
): Extent | undefined {
  const extent = protocol === "json" ? separated(bytes) : prefixed(bytes);
  const arrived = Math.min(extent?.end ?? Infinity, bytes.length);
  if (arrived > maximum) {
    throw new Offence(
      `The maximum message size of ${maximum}B was exceeded. The message size can be ` +
        "configured with maximumReceiveMessageSize.",
    );
  }
  if (extent === undefined || extent.end > bytes.length) return undefined;
  if (protocol === "messagepack" && extent.from === extent.to) {
    throw new Offence("Attempted to read past the end of the stream.", "EndOfStreamException");
  }
  return extent;
}

function separated(bytes: Uint8Array): Extent | undefined {
  const to = bytes.indexOf(RECORD_SEPARATOR);
  return to < 0 ? undefined : { from: 0, to, end: to + 1 };
}

function prefixed(bytes: Uint8Array): Extent | undefined {
  const prefix = bytes.subarray(0, 5);
  // Of the fifth byte three bits are left, and none says that there is a sixth.
  if ((prefix[4] ?? 0) > 7 && prefix.subarray(0, 4).every((byte) => byte >= 0x80)) {
    throw new Offence("Messages over 2GB in size are not supported.", "FormatException");
  }
  const last = prefix.findIndex((byte) => byte < 0x80);
  if (last < 0) return undefined;
  const length = prefix.subarray(0, last + 1)
    .reduceRight((length, byte) => length * 128 + (byte & 0x7f), 0);
  const end = last + 1 + length;
  return { from: last + 1, to: end, end };
}
