import { Frame } from "../protocol/frame.ts";
import { readText } from "../protocol/pack/reader.ts";
import type { Frames } from "../protocol/serialized_invocation.ts";

/** The frames of another node; each is made once, when the first connection needs it. */
export class ReceivedFrames implements Frames {
  #jsonBytes: Uint8Array | undefined;
  #json: Frame | undefined;
  #messagepackBytes: Uint8Array | undefined;
  #messagepack: Frame | undefined;
  #others: Map<string, Frame> | undefined;

  /** Adds the frame that the other node wrote for `protocol`. */
  add(protocol: string, bytes: Uint8Array): void {
    if (protocol === "json") this.#jsonBytes = bytes;
    else if (protocol === "messagepack") this.#messagepackBytes = bytes;
    else (this.#others ??= new Map()).set(protocol, new Frame(bytes));
  }

  frame(protocol: string): Frame | undefined {
    if (protocol === "json") {
      return this.#json ??= this.#jsonBytes && new Frame(readText(this.#jsonBytes));
    }
    if (protocol !== "messagepack") return this.#others?.get(protocol);
    return this.#messagepack ??= this.#messagepackBytes && new Frame(this.#messagepackBytes);
  }
}
