import type { BackplaneStatus, BackplaneSubscription } from "../../backplanes/backplane.ts";
import type { ClaimMessage, DirectMessage, HubMessage, HubSign, Stand } from "./node_messages.ts";
import type { RelayMessage, Seek } from "./relay_messages.ts";

/** A hub, as the cluster of its server sees it. */
export interface ClusterHub {
  readonly name: string;
  /**
   * What the next sign says of this hub. A sign has room for so many tails, whose channels have so many
   * characters in all; with no room it tells the numbers alone. Behind the `last` sign comes no other. May be asked again before {@link signed}
   * tells what became of the sign before.
   */
  sign(tails: number, characters: number, last: boolean): HubSign;
  /** The bus has answered the sign with `sign` in it, or has not: then nobody may have heard it. */
  signed(sign: HubSign, accepted: boolean): void;
  /**
   * Another node has given the sign `id`. `missed` says that a sign before it has not come; then what it
   * would have told is missing; nobody can tell that of the first sign that is heard of a node. All that
   * the hub hears of a sign precedes {@link ended}.
   */
  heard(node: string, sign: HubSign, missed: boolean): void;
  /** Another node asks or answers something. */
  received(message: HubMessage): void;
  /** Another node is there no more: it has said goodbye, or has been silent for too long. */
  ended(node: string, how: "gone" | "dead"): void;
}

/** Hears of other nodes what concerns tokens. */
export interface TokenListener {
  /** Another node lives, and `date` is the date of its clock that never jumps. */
  lives(node: string, date: number): void;
  /** Another node asks or answers something. */
  received(message: ClaimMessage): void;
  /** Another node is there no more. */
  ended(node: string): void;
}

/** Hears of other nodes what concerns requests for connections that are not on the node that got them. */
export interface RelayListener {
  /** Another node asks or answers something. */
  received(message: RelayMessage): void;
  /** Another node is there no more. */
  ended(node: string): void;
}

/** The channels of connections that are not on this node. */
export interface ConnectionChannels {
  /**
   * Asks something on the channel of a connection of a hub. Resolves as {@link Cluster.tell} if the bus has
   * taken the question, else with `null`. Never rejects.
   */
  ask(hub: string, question: Seek | Stand): Promise<number | undefined | null>;
  /** Hears what candidates for a connection ask on its channel, as any other message of a node. */
  hear(hub: string, connectionId: string): BackplaneSubscription;
}

/** The other nodes, as a hub sees them. */
export interface Cluster {
  /** The hub takes part from now on. */
  join(hub: ClusterHub): void;
  /** Gives a sign at once, if the bus is there. */
  sign(): void;
  /**
   * Says something to one node, in part where the bus refuses the whole as too large. Resolves with how
   * many nodes have heard the message if the bus counts, and with nothing if it does not, or if the bus did
   * not take the message. Never rejects.
   */
  tell(node: string, message: DirectMessage): Promise<number | undefined>;
  /** Another node was heard on a channel of a hub: it lives, though no sign of it may have come yet. */
  met(node: string): void;
  /** Whether a node counts as living. */
  lives(node: string): boolean;
  /** All nodes that are known, this one first; the states are those of `server.nodes`. */
  readonly nodes: readonly { readonly name: string; readonly state: string }[];
  /** Whether a node gives its signs as often as it says. A node that is not known may be one that gives none. */
  hears(node: string): boolean;
  /** The other nodes that count as living. */
  living(): Iterable<string>;
  /**
   * Whether nobody can be there whom a question does not reach: the bus has been there for two seconds, and
   * no sign of a living node is missing.
   */
  readonly settled: boolean;
  /**
   * Whether no other node lives, and the bus says that none listens, or none was heard in the last 30 s, in
   * which this node has listened.
   */
  readonly alone: boolean;
  /** Whether the bus has told how many nodes hear a sign: then it is one server, that loses nothing by itself. */
  readonly counts: boolean;
  /** The status of the bus. */
  readonly status: BackplaneStatus;
}
