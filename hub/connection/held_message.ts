import type { TextOrBytes } from "../protocol/frame.ts";
import type { HubMessage } from "../protocol/messages.ts";
import type { HubProtocol } from "../protocol/protocol.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Counts the bytes of messages that wait. */
export interface MessageHolder {
  /** A message waits no longer. */
  giveBack(bytes: number): void;
}

/**
 * A message that waits. Its record is kept and not the parsed message, which may take sixty times the
 * memory. The record is a copy, because it may be a small view of a large chunk.
 */
export class HeldMessage {
  readonly #record: Uint8Array;
  readonly #protocol: HubProtocol;
  readonly #holder: MessageHolder;

  /** `record` can be parsed: it was parsed before. */
  constructor(record: TextOrBytes, protocol: HubProtocol, holder: MessageHolder) {
    this.#record = typeof record === "string" ? encoder.encode(record) : record.slice();
    this.#protocol = protocol;
    this.#holder = holder;
  }

  /** The bytes that the message takes. */
  get bytes(): number {
    return this.#record.length;
  }

  /** The message does not wait any longer. Once. */
  release(): void {
    this.#holder.giveBack(this.bytes);
  }

  /** Releases the message and returns it with its record, as its protocol reads it. */
  take(): { readonly message: HubMessage | undefined; readonly record: TextOrBytes } {
    this.release();
    const record = this.#protocol.format === "text" ? decoder.decode(this.#record) : this.#record;
    return { message: this.#protocol.parse(record), record };
  }
}
