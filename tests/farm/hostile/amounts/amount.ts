import { type Action, type Attacker, packed, type WebSocketOptions } from "./attacker.ts";
import { sized } from "../../../kit/sizes.ts";
import type { Way } from "./hostile_socket.ts";
import type { ProtocolName, Written } from "../../../kit/wire_format.ts";

/** What one action of clients may cost everybody else. */
export interface Limits {
  /** The longest that a node may work while a healthy client waits for an answer, in milliseconds. */
  readonly answer: number;
  /** The same while a crowd acts: a turn of the node reads a little from each of its clients. */
  readonly crowdAnswer: number;
  /** The same until a new client has its first answer, which takes six trips. */
  readonly visit: number;
  /** Resident memory at the peak, in MiB more than before. */
  readonly peakMiB: number;
  /** What may be left of it when the clients have gone, in MiB that are alive. */
  readonly liveMiB: number;
  /** Lines in the log. */
  readonly logLines: number;
}

/** A row of the table: what a client does as fast as it can, and what that may cost. */
export interface Amount {
  readonly name: string;
  readonly act: Action;
  /** The way of leaving that the gate tries; one after the other where the row names none. */
  readonly way?: Way;
  /** Where the row has limits of its own. */
  readonly limits?: Partial<Limits>;
}

/** The limits of a row that has none of its own. */
export const LIMITS: Limits = {
  answer: 1000,
  crowdAnswer: sized(1000, 3000),
  visit: 5000,
  peakMiB: 300,
  liveMiB: 12,
  logLines: 20,
};

/** The same again and again. */
export function* endless<T>(...items: readonly T[]): Generator<T> {
  for (;;) yield* items;
}

/** `count` things. */
export function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** `count` messages at a time, each made from a number that no other message of the client has. */
export function* numbered(
  count: number,
  make: (number: number) => Written,
  protocol?: ProtocolName,
): Generator<Uint8Array> {
  for (let first = 0;; first += count) {
    yield packed(many(count, (index) => make(first + index)), protocol);
  }
}

/** A client that sends `chunks` over a WebSocket, and comes back if it is closed before its time. */
export function flooding(
  chunks: (attacker: Attacker) => Iterable<Uint8Array>,
  options: WebSocketOptions = {},
): Action {
  return async (attacker) => {
    await attacker.again(async () => {
      const stateful = options.stateful ?? false;
      const token = stateful
        ? (await attacker.negotiate("&useStatefulReconnect=true")).connectionToken
        : undefined;
      const socket = await attacker.webSocket({ ...options, ...token !== undefined && { token } });
      await attacker.flood(socket, chunks(attacker));
      await attacker.stay(socket);
      await socket.leave(attacker.way);
    });
  };
}
