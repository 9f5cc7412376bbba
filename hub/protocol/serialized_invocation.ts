import { jsonProtocol } from "./json/json.ts";
import { messagepackProtocol, writeMessage } from "./messagepack/messagepack.ts";
import { type InvocationMessage, MessageType } from "./messages.ts";
import type { PackWriter } from "./pack/writer.ts";
import { Frame, type TextOrBytes } from "./frame.ts";
import { checkSendBytes, checkSendSize } from "./send_size.ts";
import { checkSerializable } from "./values.ts";

/** One message, ready for the clients of each protocol. */
export interface Frames {
  /** The frame for clients of `protocol`; `undefined` if its sender did not write one. */
  frame(protocol: string): Frame | undefined;
}

/**
 * An invocation of a client method. It is written at most once per protocol for all its recipients, and
 * only in the protocols of the recipients on this node and the bus.
 */
export class SerializedInvocation implements Frames {
  readonly #target: string;
  readonly #arguments: readonly unknown[];
  readonly #invocationId: string | undefined;
  readonly #maximumBytes: number;
  #json: Frame | undefined;
  #messagepack: Frame | undefined;
  /** Gives the MessagePack bytes where they were written for the bus. */
  #written: (() => Uint8Array | undefined) | undefined;

  /**
   * `invocationId` is given when the client is asked for a result. A frame of more than `maximumBytes` is
   * not written: see {@link prepare}.
   *
   * @throws {TypeError} if `target` is empty, or an argument cannot be serialised. No client has received
   * the message then.
   */
  constructor(
    target: string,
    args: readonly unknown[],
    invocationId?: string,
    maximumBytes: number = Infinity,
  ) {
    if (typeof target !== "string" || target === "" || !target.isWellFormed()) {
      throw new TypeError(`Cannot send to client method: ${JSON.stringify(target)} is not a name`);
    }
    this.#target = target;
    this.#arguments = args;
    this.#invocationId = invocationId;
    this.#maximumBytes = maximumBytes;
    checkSerializable(args, "arguments");
  }

  /** The framed JSON text. */
  get json(): string {
    return this.#jsonFrame.content as string;
  }

  /** Writes the framed MessagePack bytes, as bytes. */
  writeMessagepack(writer: PackWriter): void {
    if (this.#messagepack !== undefined) return writer.binary(this.#messagepack.bytes);
    const start = writer.length;
    writeMessage(writer, this.#message());
    writer.prefix(start);
    const bytes = writer.length - start;
    checkSendBytes(bytes, this.#maximumBytes);
    writer.enclose(start);
    this.#written = writer.last(bytes);
  }

  frame(protocol: string): Frame | undefined {
    if (protocol === jsonProtocol.name) return this.#jsonFrame;
    if (protocol !== messagepackProtocol.name) return undefined;
    return this.#messagepack ??= this.#checked(
      this.#written?.() ?? messagepackProtocol.write(this.#message()),
    );
  }

  /**
   * Writes the frame for clients of `protocol`, otherwise those of every protocol.
   *
   * @throws {RangeError} if a frame is larger than allowed. Nobody has the message then.
   */
  prepare(protocol?: string): void {
    if (protocol !== undefined) this.frame(protocol);
    else for (const { name } of [jsonProtocol, messagepackProtocol]) this.frame(name);
  }

  get #jsonFrame(): Frame {
    return this.#json ??= this.#checked(jsonProtocol.write(this.#message()));
  }

  #checked(content: TextOrBytes): Frame {
    checkSendSize(content, this.#maximumBytes);
    return new Frame(content);
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
