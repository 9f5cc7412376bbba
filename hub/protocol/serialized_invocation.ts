import { jsonProtocol } from "./json.ts";
import { messagepackProtocol, messagepackRecord, unframed } from "./messagepack.ts";
import { type InvocationMessage, MessageType } from "./messages.ts";
import type { Frame } from "./protocol.ts";
import { checkSerializable } from "./values.ts";

/** One message, ready for the clients of each protocol. */
export interface Frames {
  /** The frame for clients of `protocol`; `undefined` if its sender did not write one. */
  frame(protocol: string): Frame | undefined;
}

/**
 * An invocation of a client method, written at most once per protocol however many receive it, and
 * only for the protocols that somebody here, or the bus, asks for.
 */
export class SerializedInvocation implements Frames {
  readonly #target: string;
  readonly #arguments: readonly unknown[];
  readonly #invocationId: string | undefined;
  #json: string | undefined;
  #messagepack: Uint8Array | undefined;

  /**
   * `invocationId` is given when the client's result is asked for.
   *
   * @throws {TypeError} if `target` is empty, or an argument cannot be serialised: before anyone
   * has received anything.
   */
  constructor(target: string, args: readonly unknown[], invocationId?: string) {
    if (typeof target !== "string" || target === "" || !target.isWellFormed()) {
      throw new TypeError(`Cannot send to client method: ${JSON.stringify(target)} is not a name`);
    }
    this.#target = target;
    this.#arguments = args;
    this.#invocationId = invocationId;
    checkSerializable(args);
  }

  /** The framed JSON text. */
  get json(): string {
    return this.#json ??= jsonProtocol.write(this.#message()) as string;
  }

  /** The framed MessagePack bytes. */
  get messagepack(): Uint8Array {
    return this.#messagepack ??= messagepackProtocol.write(this.#message()) as Uint8Array;
  }

  /** The MessagePack bytes without their length: a view that is good until the next message is written. */
  get messagepackRecord(): Uint8Array {
    const frame = this.#messagepack;
    return frame === undefined ? messagepackRecord(this.#message()) : unframed(frame);
  }

  frame(protocol: string): Frame | undefined {
    if (protocol === jsonProtocol.name) return this.json;
    return protocol === messagepackProtocol.name ? this.messagepack : undefined;
  }

  #message(): InvocationMessage {
    return {
      type: MessageType.Invocation,
      ...this.#invocationId !== undefined && { invocationId: this.#invocationId },
      target: this.#target,
      arguments: this.#arguments,
    };
  }
}
