/**
 * What nodes say to each other about themselves, on channels without a hub's name: all of them hear
 * `internal:hubplane:signs`, and one hears `internal:hubplane:node:NODE`. ASP.NET Core nodes hear neither.
 *
 * Every payload is a MessagePack array that starts with the version, the kind, an id and the name of the
 * sending node. Readers ignore further items, and drop an unknown version or kind. Ages and intervals are
 * milliseconds, numbers are those of envelopes (`envelope.ts`).
 * The bytes are written and read by `write_node_message.ts` and `read_node_message.ts`. Messages about
 * connections that move are in `move_messages.ts`, and those about requests for connections of other nodes in
 * `relay_messages.ts`.
 *
 * @module
 */
import type { MoveMessage } from "./move_messages.ts";
import type { RelayMessage } from "./relay_messages.ts";

/** The channel of all nodes. */
export const SIGNS = "internal:hubplane:signs";

/** The channel of one node. */
export function nodeChannel(node: string): string {
  return `internal:hubplane:node:${node}`;
}

/** What a node is doing. */
export type NodeActivity = "starting" | "up" | "draining";

/** In the order of their numbers. */
export const ACTIVITIES: readonly NodeActivity[] = ["starting", "up", "draining"];

/** A channel, and a number on it. */
export type ChannelNumber = readonly [channel: string, number: number];

/** What a sign says of one hub. */
export interface HubSign {
  readonly hub: string;
  /** The last number that the node has given. */
  readonly number: number;
  /** Up to this number every tail has been listed, here or in an earlier sign. */
  readonly told: number;
  /** The last numbers of channels that no accepted sign has listed yet. */
  readonly tails: readonly ChannelNumber[];
}

/** A key that the nodes of a farm sign tokens with. It goes nowhere but over the bus. */
export interface FarmKey {
  /** When the key was made, in epoch milliseconds of its maker's clock. */
  readonly created: number;
  /** The number by which tokens name the key, 0 to 65,535. */
  readonly tag: number;
  /** As many bytes as {@link SECRET_BYTES}. */
  readonly secret: Uint8Array;
}

/** The length of the secret of a {@link FarmKey}. */
export const SECRET_BYTES = 32;

/** A sign of life. */
export interface Sign {
  /** `hello` asks every node for a sign; `bye` is the last of a node. */
  readonly kind: "hello" | "sign" | "bye";
  /** The number of the sign, 1 for the first. An answer to a hello repeats the last one. */
  readonly id: number;
  readonly node: string;
  readonly activity: NodeActivity;
  /** How often the node gives a sign. */
  readonly interval: number;
  /**
   * When the node started, and when it wrote the sign: epoch milliseconds of its clock. The second date never
   * jumps, and tells how far the clocks of two nodes are apart.
   */
  readonly started: number;
  readonly date: number;
  readonly connections: number;
  readonly hubs: readonly HubSign[];
  /** The keys that the node knows; none in the first hello of a farm. */
  readonly keys: readonly FarmKey[];
}

/** Asks whether a connection is there, on its channel; or, on a node's channel, only whether that exists. */
export interface Knock {
  readonly kind: "knock";
  readonly id: number;
  readonly node: string;
  readonly hub: string;
}

/** The answer of the node that has the connection of a {@link Knock}. */
export interface Here {
  readonly kind: "here";
  readonly id: number;
  readonly node: string;
  readonly hub: string;
}

/** Asks on which channels a node has published after a number. */
export interface IndexQuestion {
  readonly kind: "askIndex";
  readonly id: number;
  readonly node: string;
  readonly hub: string;
  readonly after: number;
  /** What was handed over longer ago does not matter; `undefined` if everything matters. */
  readonly age: number | undefined;
}

/** The answer to an {@link IndexQuestion}. */
export interface IndexAnswer {
  readonly kind: "index";
  readonly id: number;
  readonly node: string;
  readonly hub: string;
  readonly after: number;
  /** The answer is whole up to this number; the rest can be asked for. */
  readonly upTo: number;
  /** The last number that the node has given. */
  readonly number: number;
  /** The node knows the channel of every message from this number on. */
  readonly from: number;
  /** How long ago it handed over the last message before `from`; `undefined` if there was none. */
  readonly age: number | undefined;
  /** The channels, each with its last number. */
  readonly channels: readonly ChannelNumber[];
}

/** Asks what a node has published on a channel after a number. */
export interface MessagesQuestion {
  readonly kind: "askMessages";
  readonly id: number;
  readonly node: string;
  readonly hub: string;
  readonly channel: string;
  readonly after: number;
  /** As {@link IndexQuestion.age}. */
  readonly age: number | undefined;
}

/** A message of a {@link MessagesAnswer}. */
export interface RepeatedMessage {
  readonly number: number;
  /** As in its envelope. */
  readonly back: number;
  /** How long ago the node handed the message over. */
  readonly age: number;
  /** The envelope; `null` if it is kept no longer, `undefined` if the bus refused it, so that nobody has it. */
  readonly payload: Uint8Array | null | undefined;
}

/** The answer to a {@link MessagesQuestion}. */
export interface MessagesAnswer {
  readonly kind: "messages";
  readonly id: number;
  readonly node: string;
  readonly hub: string;
  readonly channel: string;
  readonly after: number;
  /** The answer is whole up to this number; the rest can be asked for. */
  readonly upTo: number;
  /** The last number that the node has given. */
  readonly number: number;
  /** How many messages of the channel behind the question's number it knows no longer: at least so many. */
  readonly missing: number;
  readonly messages: readonly RepeatedMessage[];
}

/**
 * Asks the node that has issued a token whether the connection of the token may begin at the sender. May be
 * repeated: the answer stays the same.
 */
export interface Claim {
  readonly kind: "claim";
  readonly id: number;
  readonly node: string;
  readonly connectionId: string;
  /** The date in the token. */
  readonly issued: number;
}

/**
 * Asks whether the connection of a token whose issuer has gone may begin at the sender: on the channel of the
 * connection, and at every node. A node that wants to begin the connection itself, and whose name is smaller,
 * does not answer.
 */
export interface Stand {
  readonly kind: "stand";
  readonly id: number;
  readonly node: string;
  readonly connectionId: string;
}

/** The answer to a {@link Claim}, or to a {@link Stand}. */
export interface Claimed {
  readonly kind: "claimed";
  readonly id: number;
  readonly node: string;
  /**
   * The node at which the connection has begun, or begins; `undefined` if the token is too old to begin, or if
   * the node that was asked by a {@link Stand} has no objection.
   */
  readonly home: string | undefined;
}

/** A message about the first use of a token. */
export type ClaimMessage = Claim | Claimed | Stand;

/** A message about one hub. */
export type HubMessage =
  | MoveMessage
  | Knock
  | Here
  | IndexQuestion
  | IndexAnswer
  | MessagesQuestion
  | MessagesAnswer;

/** A message to one node. */
export type DirectMessage = HubMessage | ClaimMessage | RelayMessage;

/** Any message between nodes. */
export type NodeMessage = Sign | DirectMessage;
