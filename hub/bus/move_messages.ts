/**
 * What two nodes say about a connection that goes from one to the other. The *claimant* has got a request of
 * the client and becomes the new home, the *holder* has the connection, or its parked state.
 *
 * Each question and each state may be lost, repeated or overtaken: an id stays the same for all repetitions.
 *
 * @module
 */

/** The most bytes of a state in one message: the whole message stays below 64 KiB. */
export const MAXIMUM_PART_BYTES = 60_000;
/** The most parts of a state. */
export const MAXIMUM_PARTS = 100;

/** Asks for a connection, on its channel. The id is one of the claimant. */
export interface MoveQuestion {
  readonly kind: "askMove";
  readonly id: number;
  readonly node: string;
  readonly hub: string;
  readonly connectionId: string;
  /** The user whom the claimant has authenticated; only the user of the connection gets it. */
  readonly userId: string | undefined;
}

/** A part of a connection's state, to a claimant or to a node that is to keep it. */
export interface MoveState {
  readonly kind: "moveState";
  /** The id of the question; of a state that is to be parked, one of the sender. */
  readonly id: number;
  readonly node: string;
  readonly hub: string;
  readonly connectionId: string;
  /** Whether the receiver is to keep the state until somebody asks for the connection. */
  readonly parked: boolean;
  /** The number of the part, from 0, and how many there are. */
  readonly part: number;
  readonly parts: number;
  readonly bytes: Uint8Array;
}

/** Confirms a whole {@link MoveState}: the connection is the confirming node's. */
export interface MoveReceipt {
  readonly kind: "moveReceipt";
  readonly id: number;
  readonly node: string;
  readonly hub: string;
  readonly parked: boolean;
}

/** The answer to a {@link MoveQuestion} of another user. */
export interface MoveRefusal {
  readonly kind: "moveRefusal";
  readonly id: number;
  readonly node: string;
  readonly hub: string;
}

/** A message about a connection that moves. */
export type MoveMessage = MoveQuestion | MoveState | MoveReceipt | MoveRefusal;

/** The second item of each message, and how many items it has with the five of every message of a hub. */
export const MOVE_KINDS: Readonly<Record<MoveMessage["kind"], readonly [number, number]>> = {
  askMove: [20, 7],
  moveState: [21, 10],
  moveReceipt: [22, 6],
  moveRefusal: [23, 5],
};
