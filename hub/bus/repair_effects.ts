import type { HeardChannel } from "./heard_channel.ts";

/** A message of another node. */
export interface Arrival {
  readonly node: string;
  readonly number: number;
  readonly back: number;
  readonly payload: Uint8Array;
}

/** A question to another node. */
export type RepairQuestion =
  & { readonly id: number; readonly after: number; readonly age: number | undefined }
  & (
    | { readonly kind: "askIndex" }
    | { readonly kind: "askMessages"; readonly channel: string }
  );

/** What a repair asks of its surroundings. */
export interface RepairEffects {
  /** Whether questions reach other nodes now. */
  readonly open: boolean;
  /** Whether a message that the bus has accepted may be lost although this node was never away. */
  readonly lossy: boolean;
  /** The channel of that name, if this node listens to it. */
  channel(name: string): HeardChannel | undefined;
  /** All channels that this node listens to. */
  channels(): Iterable<HeardChannel>;
  /** A message that was held, or repeated. */
  deliver(channel: HeardChannel, payload: Uint8Array): void;
  /** Whether a node gives its signs of life. */
  hears(node: string): boolean;
  /** Returns whether the question has left: too many in a second do not. */
  ask(node: string, question: RepairQuestion): boolean;
  /** So many messages of a channel are missing, at least; 0 if perhaps none is. */
  lost(channel: HeardChannel, missing: number): void;
  /** Calls back in a later turn. */
  soon(call: (now: number) => void): void;
  /** A node was heard for the first time. */
  met(node: string): void;
  /** Everything that was missing after the bus was away has been repaired or reported. */
  settled(): void;
}
