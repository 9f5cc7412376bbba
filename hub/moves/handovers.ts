import type { MoveMessage, MoveQuestion, MoveState } from "../bus/move_messages.ts";
import { GivenStates, GIVING, type GivingEffects, keyOf } from "./given_states.ts";
import { ParkedStates } from "./parked_states.ts";
import { Remembered } from "./remembered.ts";
import { StateParts } from "./state_parts.ts";

/** The pause between two questions, in milliseconds. */
const INTERVAL = 250;
/** For how long a state is accepted after nobody asks for it any more, in milliseconds. */
const ACCEPTED = GIVING + 1000;

/** What a node can say of a connection that another one asks for. */
export type Taken =
  /** The connection was here and has left; its state. */
  | Uint8Array
  /** The connection is here and cannot leave yet. */
  | "later"
  /** The connection is another user's. */
  | "denied"
  | "absent";

/** What {@link Handovers} asks of its surroundings; `C` is the request that a claim is made for. */
export interface HandoverEffects<C> extends GivingEffects {
  readonly serverName: string;
  readonly hub: string;
  /** Says something on the channel of a connection. */
  ask(question: MoveQuestion): void;
  tell(node: string, message: MoveMessage): void;
  /** Takes a connection out of this node. */
  take(connectionId: string, userId: string | undefined): Taken;
  /** Whether a parked state is one of a user. */
  isOf(state: Uint8Array, userId: string | undefined): boolean;
  /**
   * Takes a connection in. Returns `"later"` if that is not possible now: the state is sent again. What else
   * becomes of the connection is decided here.
   */
  accept(state: Uint8Array, claim: C): "accepted" | "later";
  /** The connection of a claim is here, because of another claim. */
  arrived(claim: C): void;
  /** Nobody has answered a claim in time, or the connection is another user's. */
  failed(claim: C, why: "late" | "denied"): void;
  /** The client of a parked state has not come back in time. */
  overdue(connectionId: string, state: Uint8Array): void;
  /** Hears the channel of a connection, or does not any more. */
  listen(connectionId: string, listens: boolean): void;
}

interface Claim<C> {
  readonly question: MoveQuestion;
  readonly about: C;
  /** Until when it is asked, and until when an answer is accepted. */
  readonly until: number;
  readonly forgottenAt: number;
  askedAt: number;
  asks: boolean;
}

/**
 * The way of connections from node to node. CONTINUITY §4. Pure: `now` is a time in milliseconds.
 *
 * - **Claim**: asked every 250 ms with one id, until its deadline.
 * - **Answer**: a node answers each claim once. A claim that comes late may bring the connection back to a
 *   node that it has left: whoever has claimed takes it in, some seconds after its deadline too.
 * - **State**: sent every 250 ms until the other node confirms it, for 10 s. It is confirmed each time it
 *   comes, and has an effect once.
 * - **Parked**: a state without a client. It is kept like a connection, and answers claims.
 */
export class Handovers<C> {
  readonly #effects: HandoverEffects<C>;
  readonly #claims = new Map<number, Claim<C>>();
  readonly #given: GivenStates;
  /** The claims of other nodes that were answered, and the states that have come. */
  readonly #answered = new Remembered();
  readonly #taken = new Remembered();
  readonly #parts = new StateParts();
  readonly #parked: ParkedStates;
  #ids = 0;

  /** `parkedFor` is how long a client may stay away, in milliseconds. */
  constructor(effects: HandoverEffects<C>, parkedFor: number) {
    this.#effects = effects;
    this.#given = new GivenStates(effects);
    this.#parked = new ParkedStates(parkedFor);
  }

  /** Whether {@link tick} has nothing to do. */
  get idle(): boolean {
    return this.#claims.size === 0 && !this.giving && this.#parked.size === 0;
  }

  /** Whether a state of this node is not confirmed yet. */
  get giving(): boolean {
    return this.#given.size > 0;
  }

  /** Claims a connection until `until`; returns the id of the claim. */
  claim(
    { connectionId, userId }: Pick<MoveQuestion, "connectionId" | "userId">,
    about: C,
    { now, until }: { readonly now: number; readonly until: number },
  ): number {
    const id = ++this.#ids;
    const question = { kind: "askMove", ...this.#about(id), connectionId, userId } as const;
    const times = { until, forgottenAt: until + ACCEPTED, askedAt: now };
    const claim = { question, about, ...times, asks: true };
    this.#claims.set(id, claim);
    this.#ask(claim, now);
    return id;
  }

  /** The client has gone: nobody is asked any more. A state that comes is still taken in. */
  abandon(id: number): void {
    const claim = this.#claims.get(id);
    if (claim !== undefined) claim.asks = false;
  }

  /** Sends a state to a node that keeps it until its client comes back. */
  park(node: string, connectionId: string, state: Uint8Array, now: number): void {
    this.#given.give(
      node,
      { ...this.#about(++this.#ids), connectionId, parked: true },
      state,
      now,
    );
  }

  /** Sends all parked states to another node, because this one ends. */
  parkElsewhere(node: string, now: number): void {
    for (const [connectionId, state] of this.#parked) {
      this.#unpark(connectionId);
      this.park(node, connectionId, state, now);
    }
  }

  received(message: MoveMessage, now: number): void {
    switch (message.kind) {
      case "askMove":
        return this.#asked(message, now);
      case "moveState":
        return this.#stateCame(message, now);
      case "moveReceipt":
        return this.#given.confirmed(keyOf(message.node, message));
      case "moveRefusal":
        return this.#deny(this.#claims.get(message.id));
    }
  }

  /** Repeats what is due, and gives up what takes too long. Called while not {@link idle}. */
  tick(now: number): void {
    for (const claim of this.#claims.values()) {
      if (claim.asks && now >= claim.until) {
        claim.asks = false;
        this.#effects.failed(claim.about, "late");
      } else if (now >= claim.forgottenAt) this.#claims.delete(claim.question.id);
      else if (claim.asks && now - claim.askedAt >= INTERVAL) this.#ask(claim, now);
    }
    this.#given.tick(now);
    for (const [connectionId, state] of this.#parked.overdue(now)) {
      this.#unpark(connectionId);
      this.#effects.overdue(connectionId, state);
    }
    this.#parts.forgetOld(now);
  }

  /** Asks for a connection; takes it in at once if its state is parked here. */
  #ask(claim: Claim<C>, now: number): void {
    const { connectionId, userId } = claim.question;
    const parked = this.#parked.get(connectionId);
    claim.askedAt = now;
    if (parked === undefined) this.#effects.ask(claim.question);
    else if (!this.#effects.isOf(parked, userId)) this.#deny(claim);
    else if (this.#accept(claim, parked)) this.#unpark(connectionId);
  }

  #asked(question: MoveQuestion, now: number): void {
    const { id, node, connectionId } = question;
    if (node === this.#effects.serverName) return;
    const address = { ...this.#about(id), connectionId, parked: false };
    const key = keyOf(node, address);
    // The answer is on its way, or was confirmed: then a repetition of the question has come late.
    if (this.#answered.has(key)) return;
    const taken = this.#take(question);
    if (taken === "later" || taken === "absent") return;
    if (taken === "denied") {
      return this.#effects.tell(node, { kind: "moveRefusal", ...this.#about(id) });
    }
    this.#answered.add(key, now);
    this.#given.give(node, address, taken, now);
  }

  #take({ connectionId, userId }: MoveQuestion): Taken {
    const parked = this.#parked.get(connectionId);
    if (parked === undefined) return this.#effects.take(connectionId, userId);
    if (!this.#effects.isOf(parked, userId)) return "denied";
    this.#unpark(connectionId);
    return parked;
  }

  #stateCame(message: MoveState, now: number): void {
    const { id, node, parked, connectionId } = message;
    const key = keyOf(node, message);
    if (!this.#taken.has(key)) {
      const claim = parked ? undefined : this.#claims.get(id);
      // Nobody here has asked for it, or that was too long ago.
      if (!parked && claim?.question.connectionId !== connectionId) return;
      const state = this.#parts.add(key, message, now);
      if (state === undefined) return;
      if (
        claim === undefined ? !this.#keep(connectionId, state, now) : !this.#accept(claim, state)
      ) {
        return;
      }
      this.#parts.delete(key);
      this.#taken.add(key, now);
    }
    this.#effects.tell(node, { kind: "moveReceipt", ...this.#about(id), parked });
  }

  #keep(connectionId: string, state: Uint8Array, now: number): boolean {
    const kept = this.#parked.add(connectionId, state, now);
    if (kept) this.#effects.listen(connectionId, true);
    return kept;
  }

  /** Takes a connection in; returns whether that was possible. */
  #accept(claim: Claim<C>, state: Uint8Array): boolean {
    const { connectionId } = claim.question;
    if (this.#effects.accept(state, claim.about) === "later") return false;
    for (const other of this.#claims.values()) {
      if (other.question.connectionId !== connectionId || !other.asks) continue;
      other.asks = false;
      if (other !== claim) this.#effects.arrived(other.about);
    }
    return true;
  }

  #deny(claim: Claim<C> | undefined): void {
    if (claim === undefined || !this.#claims.delete(claim.question.id)) return;
    if (claim.asks) this.#effects.failed(claim.about, "denied");
  }

  #unpark(connectionId: string): void {
    if (this.#parked.delete(connectionId)) this.#effects.listen(connectionId, false);
  }

  #about(id: number): { readonly id: number; readonly node: string; readonly hub: string } {
    const { serverName: node, hub } = this.#effects;
    return { id, node, hub };
  }
}
