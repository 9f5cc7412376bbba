import type { MoveState } from "../bus/move_messages.ts";
import { partsOf, type StateAddress } from "./state_parts.ts";

/** The pause between two copies of a state, and for how long it is sent, in milliseconds. */
const INTERVAL = 250;
export const GIVING = 10_000;

interface Given {
  readonly to: string;
  readonly connectionId: string;
  readonly state: Uint8Array;
  readonly messages: readonly MoveState[];
  readonly until: number;
  sentAt: number;
}

/** What {@link GivenStates} asks of its surroundings. */
export interface GivingEffects {
  tell(node: string, message: MoveState): void;
  /** No node has confirmed a state in time, or the state is too large. */
  lost(connectionId: string, state: Uint8Array): void;
}

/** The states that other nodes have not confirmed: each is sent again until it is. */
export class GivenStates {
  readonly #effects: GivingEffects;
  readonly #given = new Map<string, Given>();

  constructor(effects: GivingEffects) {
    this.#effects = effects;
  }

  get size(): number {
    return this.#given.size;
  }

  /** Sends a state to a node. */
  give(to: string, address: StateAddress, state: Uint8Array, now: number): void {
    const { connectionId } = address;
    const messages = partsOf(address, state);
    if (messages === undefined) return this.#effects.lost(connectionId, state);
    const given = { to, connectionId, state, messages, until: now + GIVING, sentAt: now };
    this.#given.set(keyOf(to, address), given);
    this.#send(given, now);
  }

  /** A node has confirmed a state. */
  confirmed(key: string): void {
    this.#given.delete(key);
  }

  /** Sends what is due, and gives up what takes too long. */
  tick(now: number): void {
    for (const [key, given] of this.#given) {
      if (now >= given.until) {
        this.#given.delete(key);
        this.#effects.lost(given.connectionId, given.state);
      } else if (now - given.sentAt >= INTERVAL) this.#send(given, now);
    }
  }

  #send(given: Given, now: number): void {
    given.sentAt = now;
    for (const message of given.messages) this.#effects.tell(given.to, message);
  }
}

/** Names a state by the node at its other end, and the id under which that asked for it or is to keep it. */
export function keyOf(
  node: string,
  { id, parked }: { readonly id: number; readonly parked: boolean },
): string {
  return `${node}\n${id}\n${parked}`;
}
