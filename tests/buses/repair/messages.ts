/**
 * What a test and its nodes say to each other.
 *
 * @module
 */

/** What a node is told. */
export type Order =
  /** Sends `rate` numbered messages a second to the group, until told to stop. */
  | { readonly kind: "send"; readonly rate: number }
  | { readonly kind: "stop" }
  /** Sends messages of so many bytes, a few at a time. */
  | { readonly kind: "burst"; readonly count: number; readonly bytes: number }
  /** Leaves its event loop unattended for so many milliseconds, once this is answered. */
  | { readonly kind: "block"; readonly duration: number }
  | { readonly kind: "report" }
  /** Says which of so many messages of each sender its member has not heard. */
  | { readonly kind: "missing"; readonly sent: Readonly<Record<string, number>> };

/** A gap that a node has reported. */
export interface ReportedGap {
  readonly repaired: boolean;
  readonly channels?: readonly string[];
  readonly missing?: number;
}

/** What a node says of itself and of its member; times are dates. */
export interface NodeReport {
  readonly name: string;
  readonly status: string;
  /** How many messages it has sent, and which sends were rejected. */
  readonly sent: number;
  readonly rejected: readonly number[];
  /** How many sends have not settled. */
  readonly pending: number;
  /** How many different messages of each sender its member has heard. */
  readonly heard: Readonly<Record<string, number>>;
  readonly twice: number;
  readonly disordered: number;
  /** When its bus was last open again. */
  readonly opened: number;
  /** When the last message of another node came, and the last that was long under way. */
  readonly lastHeard: number;
  readonly lastLate: number;
  readonly gaps: readonly ReportedGap[];
  /** When its bus and other nodes changed, and how. */
  readonly seen: readonly string[];
  readonly log: readonly string[];
}

/** Which numbers of each sender the member of a node has not heard. */
export type Missing = Readonly<Record<string, readonly number[]>>;

/** The group of all members. */
export const GROUP = "room";
