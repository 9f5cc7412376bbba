/** The packets that instances post to each other on their BroadcastChannel. */

/** The fields that every packet has. */
interface Signed {
  readonly hubplane: 1;
  /** The instance that sent it. */
  readonly from: string;
  /** The number of the last post, this one included; 0 if there was none. */
  readonly number: number;
  /** When the last post before this packet was made, in epoch milliseconds. */
  readonly previous: number;
  /** No message in a later packet was published before this time, in epoch milliseconds. */
  readonly at: number;
}

/** Messages, in the order of their publishing; `names` and `payloads` go together. */
export interface Post extends Signed {
  readonly kind: "post";
  readonly names: readonly string[];
  readonly payloads: readonly Uint8Array[];
}

/** A sign of life: of an instance that opens and wants to hear from the others, lives, or closes. */
export interface Sign extends Signed {
  readonly kind: "hello" | "beat" | "bye";
  /** The pause between two of its signs, in milliseconds. */
  readonly interval: number;
}

/** Any packet. */
export type Packet = Post | Sign;

/** Whether `data` is ours: an application may use the same BroadcastChannel for something else. */
export function isPacket(data: unknown): data is Packet {
  return typeof data === "object" && data !== null && "hubplane" in data && data.hubplane === 1;
}
