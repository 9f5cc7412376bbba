import { Silence } from "../../backplanes/driver/silence.ts";
import type { Sign } from "../bus/node_messages.ts";
import { hasEnded, type Instant, type Member, newMember, take } from "./member.ts";
import type { NodeState, ServerNode, ServerNodeEvent } from "./node.ts";

/** The most nodes that are remembered. */
const MAXIMUM_NODES = 1000;
/** For how long a node is remembered after its end, in milliseconds. */
const MEMORY = 600_000;
/** For how many signs a node is silent when one is missing, when it is suspect, and when it counts as dead. */
const MISSING = 1.5;
const SUSPECT = 3;
const DEAD = 5;
/** For how long the bus is there before the channels of all nodes can be expected to be there too. */
const SETTLED = 2000;
/** After how long without a word of another node this node is alone, in milliseconds. */
const LONELY = 30_000;
/**
 * The pause between two ticks, and the longest one of a node that does not stand still: a tick that is late
 * is left out, so that the node reads first.
 */
const TICK = 1000;
const LONGEST_PAUSE = 3.5 * TICK;
/** How many nodes may give a sign in each second; more nodes take turns. */
const SIGNS_A_SECOND = 100;

/** What a sign means to those who read its content. */
export interface HeardSign {
  /** Whether the sign has not been heard before. */
  readonly isNew: boolean;
  /** Whether another sign of the node is missing before it. */
  readonly missed: boolean;
}

/** A sign that came too late. */
const OLD: HeardSign = { isNew: false, missed: false };

/** Told of each change of a node's state; `before` is `undefined` for a new node. */
export type Changed = (event: ServerNodeEvent) => void;

/**
 * Judges the other nodes by their signs of life. It does no I/O and has no clock: moments come in.
 *
 * - **Silence** is counted in signs, by the interval that each node announces.
 * - **Excuse**: while the bus of this node is away nobody is judged. When it is back, and when this node
 *   stood still, every silence begins anew, and nodes are `unknown` until they are heard.
 * - **Bounds**: 1,000 nodes. Ended nodes are forgotten after ten minutes, or earlier for new nodes; then
 *   new nodes are ignored.
 */
export class Membership {
  readonly #changed: Changed;
  readonly #silence: Silence;
  readonly #living = new Map<string, Member>();
  /** The nodes that are dead or gone; the one that has been for longest comes first. */
  readonly #ended = new Map<string, Member>();
  #away = false;
  /** When another node was last heard, or since when this node has listened. */
  #lastHeard: number;
  #alone = false;
  /** Since when the bus is there. */
  #backAt: number;

  constructor(changed: Changed, now: number) {
    this.#changed = changed;
    this.#silence = new Silence(LONGEST_PAUSE, now);
    this.#lastHeard = this.#backAt = now;
  }

  /** How many other nodes live. */
  get size(): number {
    return this.#living.size;
  }

  /** How often each node of a farm of this size gives a sign, in milliseconds. */
  get interval(): number {
    return Math.ceil((this.#living.size + 1) / SIGNS_A_SECOND) * TICK;
  }

  /** Whether no other node lives, and none was heard in the last 30 s, in which this node has listened. */
  get alone(): boolean {
    return this.#alone;
  }

  /** Whether a node counts as living. */
  lives(name: string): boolean {
    return this.#living.has(name);
  }

  /** Whether no sign of a node is missing; `true` of a node that is not known. */
  hears(name: string, now: number): boolean {
    const member = this.#living.get(name);
    if (member === undefined) return !this.#ended.has(name);
    return this.#silence.since(member.heard, now) <= MISSING * member.interval;
  }

  /** The names of the nodes that live. */
  living(): Iterable<string> {
    return this.#living.keys();
  }

  /** Whether the bus has been there for two seconds, and no sign of a living node is missing. */
  settled(now: number): boolean {
    if (this.#away || now - this.#backAt < SETTLED) return false;
    for (const { state, heard, interval } of this.#living.values()) {
      if (state === "unknown" || this.#silence.since(heard, now) > MISSING * interval) return false;
    }
    return true;
  }

  /** All nodes, the living ones first. */
  *nodes(): Generator<ServerNode, void> {
    for (const members of [this.#living, this.#ended]) {
      for (const { name, state = "unknown", since, ...told } of members.values()) {
        const { started, connections, lastSign } = told;
        yield { name, state, since, started, connections, lastSign };
      }
    }
  }

  /**
   * Notes a sign; the goodbye of a node is one too, before {@link left}. Returns `undefined` if there is no
   * room for its node.
   */
  heard(sign: Sign, at: Instant): HeardSign | undefined {
    this.#look(at);
    let member = this.#living.get(sign.node) ?? this.#ended.get(sign.node);
    const isLate = member?.state === "gone" && sign.id <= member.id;
    if (isLate || member === undefined && sign.kind === "bye") return OLD;
    if (member === undefined && !this.#hasRoom()) return undefined;
    member ??= newMember(sign.node, this.interval, at);
    const { id } = member;
    this.#note(member, at);
    member.lastSign = at.date;
    if (sign.id > id) take(member, sign);
    const { activity, state = "unknown" } = member;
    this.#become(member, sign.kind === "bye" ? state : this.#away ? "unknown" : activity, at);
    return { isNew: sign.id > id, missed: id > 0 && sign.id > id + 1 };
  }

  /** Notes that a node was heard, though not by a sign. Returns whether there is room for it. */
  met(name: string, at: Instant): boolean {
    if (this.#living.has(name)) return true;
    const ended = this.#ended.get(name);
    // What a node said before its goodbye may come late.
    if (ended?.state === "gone") return true;
    if (ended === undefined && !this.#hasRoom()) return false;
    const member = ended ?? newMember(name, this.interval, at);
    this.#note(member, at);
    this.#become(member, "unknown", at);
    return true;
  }

  /** Notes that a node has said goodbye. */
  left(name: string, at: Instant): void {
    const member = this.#living.get(name) ?? this.#ended.get(name);
    if (member !== undefined) this.#become(member, "gone", at);
  }

  /** Judges every node. Called every second while this node works. */
  tick(at: Instant): void {
    this.#look(at);
    for (const [name, { heard }] of this.#ended) {
      if (at.now - heard > MEMORY) this.#ended.delete(name);
    }
    this.#alone = this.#living.size === 0 && at.now - this.#lastHeard > LONELY;
    if (this.#away) return;
    for (const member of this.#living.values()) {
      const silence = this.#silence.since(member.heard, at.now);
      if (silence > DEAD * member.interval) this.#become(member, "dead", at);
      else if (silence > SUSPECT * member.interval) this.#become(member, "suspect", at);
    }
  }

  /** The bus of this node is away: it hears nobody. */
  away(at: Instant): void {
    this.#away = true;
    this.#forgetStates(at);
  }

  /** The bus of this node is back. */
  back(at: Instant): void {
    if (!this.#away) return;
    this.#away = false;
    this.#silence.excuse(at.now);
    this.#lastHeard = this.#backAt = at.now;
    this.#alone = false;
  }

  #look(at: Instant): void {
    if (this.#silence.look(at.now)) this.#forgetStates(at);
  }

  #note(member: Member, { now }: Instant): void {
    this.#lastHeard = member.heard = now;
    this.#alone = false;
  }

  #forgetStates(at: Instant): void {
    for (const member of this.#living.values()) this.#become(member, "unknown", at);
  }

  /** Makes room for a new node: an ended one is forgotten for it, if there is one. */
  #hasRoom(): boolean {
    if (this.#living.size + this.#ended.size < MAXIMUM_NODES) return true;
    const [oldest] = this.#ended.keys();
    return oldest !== undefined && this.#ended.delete(oldest);
  }

  #become(member: Member, state: NodeState, at: Instant): void {
    const { name, state: before } = member;
    if (before === state) return;
    member.state = state;
    member.since = at.date;
    const [now, other] = hasEnded(state)
      ? [this.#ended, this.#living]
      : [this.#living, this.#ended];
    other.delete(name);
    now.set(name, member);
    this.#changed({ node: name, state, before });
  }
}
