import { jsonProtocol } from "../../hub/protocol/json.ts";
import { messagepackProtocol } from "../../hub/protocol/messagepack.ts";
import type { FrameReader } from "../../hub/protocol/framing.ts";
import type { HubProtocol } from "../../hub/protocol/protocol.ts";
import { ReferenceHub } from "./reference_hub.ts";
import type { ProtocolName } from "./wire_format.ts";

const PROTOCOLS: Readonly<Record<ProtocolName, HubProtocol>> = {
  json: jsonProtocol,
  messagepack: messagepackProtocol,
};

/** The limit of a message that nodes have unless told otherwise, in bytes. */
export const MAXIMUM_MESSAGE_BYTES = 32_768;

/**
 * What must become of the bytes of a connection: they are read by the server's own reader and parser,
 * here and in one piece, and handed to the {@link ReferenceHub}.
 */
export class Prediction {
  readonly hub: ReferenceHub;
  readonly #protocol: HubProtocol;
  readonly #reader: FrameReader;

  constructor(protocol: ProtocolName, stateful = false) {
    this.#protocol = PROTOCOLS[protocol];
    this.#reader = this.#protocol.reader(MAXIMUM_MESSAGE_BYTES);
    this.hub = new ReferenceHub(stateful);
  }

  /** Whether the last byte ended a message. */
  get whole(): boolean {
    return this.#reader.bufferedBytes === 0;
  }

  /** Bytes have come. */
  add(bytes: Uint8Array): void {
    try {
      this.#reader.push(bytes.slice());
      while (this.hub.closed === undefined) {
        const record = this.#reader.read();
        if (record === undefined) return;
        const message = this.#protocol.parse(record);
        if (message !== undefined) this.hub.receive(message);
      }
    } catch (error) {
      this.hub.breaks(error as Error);
    }
  }
}
