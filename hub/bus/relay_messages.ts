/**
 * What two nodes say about a request for a connection that is not on the node that got the request. That node
 * is the *relay*, the node of the connection is the *home*.
 *
 * A request has an id of the relay, which every message about it repeats. Bodies travel in pieces that are
 * counted from 0 in each direction. The receiver says how many pieces it has and how many it allows; the
 * sender repeats a piece until the receiver has it. So a message that a bus loses is only late.
 *
 * @module
 */

/** The most bytes of a body in one message: the whole message stays below 64 KiB. */
export const MAXIMUM_PIECE_BYTES = 60_000;

/** How many pieces may be under way before the receiver has taken one. */
export const PIECES_AHEAD = 2;

/**
 * Asks where a connection is: on the channel of the connection, which its home hears, or on the channel of a
 * node that may know.
 */
export interface Seek {
  readonly kind: "seek";
  readonly id: number;
  readonly node: string;
  readonly connectionId: string;
}

/** The answer to a {@link Seek}. */
export interface Sought {
  readonly kind: "sought";
  readonly id: number;
  readonly node: string;
  /** The home; `undefined` if the node does not have the connection, and knows of no home. */
  readonly home: string | undefined;
}

/** What a request does to a connection; the numbers are those on the bus. */
export const VERBS = ["poll", "post", "delete", "events", "resume"] as const;

/** One of {@link VERBS}. */
export type Verb = (typeof VERBS)[number];

/** A request to a home. Its body begins with the piece 0; others follow in {@link RelayedBody}. */
export interface RelayedRequest {
  readonly kind: "relayed";
  readonly id: number;
  readonly node: string;
  readonly connectionId: string;
  readonly verb: Verb;
  /** Whether the relay notices at once that the client has gone. */
  readonly watched: boolean;
  /** The user that the relay has authenticated. */
  readonly userId: string | undefined;
  /** When that authentication expires, in epoch milliseconds. */
  readonly expires: number | undefined;
  /** The length of the body that the client has announced. */
  readonly length: number | undefined;
  /** Whether the body ends with this piece. */
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

/** A later piece of the body of a request. */
export interface RelayedBody {
  readonly kind: "relayedBody";
  readonly id: number;
  readonly node: string;
  readonly number: number;
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

/** The beginning of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** The content type; empty if there is none. */
  readonly type: string;
  /** The length of the body; `undefined` if it is not known yet. */
  readonly length: number | undefined;
}

/** A piece of an answer; the piece 0 has the head. */
export interface RelayedAnswer {
  readonly kind: "relayedAnswer";
  readonly id: number;
  readonly node: string;
  readonly number: number;
  readonly last: boolean;
  readonly bytes: Uint8Array;
  readonly head: AnswerHead | undefined;
}

/** Says what of a body has arrived. The first one says that the home has the request. */
export interface RelayReceipt {
  readonly kind: "relayReceipt";
  readonly id: number;
  readonly node: string;
  /** Whether this is about the answer, and not about the body of the request. */
  readonly toHome: boolean;
  /** How many pieces have arrived. */
  readonly received: number;
  /** How many pieces may be sent in all. */
  readonly allowed: number;
}

/**
 * Ends a request early. To the home: the client has gone, or the relay does not wait any more. To the relay: the
 * home does not have the connection, or cannot finish its answer.
 */
export interface RelayEnd {
  readonly kind: "relayEnd";
  readonly id: number;
  readonly node: string;
  readonly toHome: boolean;
}

/** A message about a request for a connection of another node. */
export type RelayMessage =
  | Seek
  | Sought
  | RelayedRequest
  | RelayedBody
  | RelayedAnswer
  | RelayReceipt
  | RelayEnd;

/** The second item of each message, and how many items it has with the four of every message of a node. */
export const RELAY_KINDS: Readonly<Record<RelayMessage["kind"], readonly [number, number]>> = {
  seek: [12, 5],
  sought: [13, 5],
  relayed: [14, 12],
  relayedBody: [15, 7],
  relayedAnswer: [16, 10],
  relayReceipt: [17, 7],
  relayEnd: [18, 5],
};
