import type { CatchUpParts } from "./catch_up_parts.ts";
import { HeardChannel, type Peer } from "./heard_channel.ts";
import type { HeardNumbers } from "./heard_numbers.ts";
import type { HubSign, IndexAnswer, MessagesAnswer } from "./node_messages.ts";
import { Peers } from "./peers.ts";
import type { Recipient } from "./recipient.ts";
import { Repair } from "./repair.ts";
import type { Arrival, RepairEffects } from "./repair_effects.ts";

/** For how long a node keeps what it has published, in milliseconds. */
const KEPT = 30_000;

/** A channel of this node, and what the newcomer has had of it. */
interface Followed {
  readonly shared: HeardChannel;
  readonly own: HeardChannel;
}

/**
 * Brings a member that has come from another node what it has missed on its channels, by repairs of its own.
 *
 * The member has had other messages than those that were here before. So it gets the messages of other nodes
 * from here only, in their order, until it has had no more of any node than the others have. Messages of this
 * node reach it directly from the beginning.
 */
export class CatchUp {
  readonly recipient: Recipient;
  readonly #parts: CatchUpParts;
  readonly #repair: Repair;
  readonly #peers = new Peers(() => {});
  readonly #followed = new Map<string, Followed>();
  readonly #whole = Promise.withResolvers<boolean>();
  #begun = false;
  #settled = false;
  #failed = false;
  #reading = false;

  constructor(
    recipient: Recipient,
    heard: HeardNumbers,
    channels: readonly HeardChannel[],
    parts: CatchUpParts,
    now: number,
  ) {
    this.recipient = recipient;
    this.#parts = parts;
    this.#repair = new Repair(this.#effects(), parts.limits, this.#peers, parts.ids);
    for (const shared of channels) {
      const own = new HeardChannel(shared.name, [recipient], shared.heedsExclusions);
      // Of a node that nobody had heard of, whatever that node still has.
      own.requestedAt = own.confirmedAt = now - KEPT;
      this.#followed.set(shared.name, { shared, own });
    }
    this.#beginFrom(heard, now);
  }

  /** Resolves with `true` when nothing is missing, or with `false` if something is lost. */
  get whole(): Promise<boolean> {
    return this.#whole.promise;
  }

  /** Whether the member can be served like all others from now on: both have had the same. */
  isDone(now: number): boolean {
    if (this.recipient.isClosed) return true;
    if (!this.#settled || this.#failed || !this.#repair.idle) return false;
    for (const { shared, own } of this.#followed.values()) {
      for (const peer of this.#peers) {
        if (peer.alive && !this.#isEqual(shared, own, peer, now)) return false;
      }
    }
    return true;
  }

  /** Whether the messages of other nodes on a channel come to the member from here. */
  follows(channel: HeardChannel): boolean {
    return this.#own(channel) !== undefined;
  }

  /** The channels as the member has heard them. */
  get channels(): Iterable<HeardChannel> {
    return this.#followed.values().map(({ own }) => own);
  }

  /** The bus has confirmed the channels: asks for what was published before. */
  begin(now: number): void {
    this.#begun = true;
    this.#repair.missed(now);
  }

  /** Whether something is lost. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Up to this number nothing of a node is missing on a channel; `undefined` if that is not known here. */
  reached(channel: HeardChannel, node: string): number | undefined {
    const [own, peer] = [this.#own(channel), this.#peers.get(node)];
    return own && peer && this.#repair.whole(own, peer);
  }

  /** Something cannot be fetched. */
  fail(): void {
    this.#failed = true;
    this.#whole.resolve(false);
  }

  /** The connection has ended. */
  end(): void {
    this.#whole.resolve(false);
  }

  /** A message has come; returns the channel on which it is to be delivered now, if it is. */
  received(channel: HeardChannel, arrival: Arrival, now: number): HeardChannel | undefined {
    const own = this.#own(channel);
    if (own === undefined) return undefined;
    const { node, number, back } = arrival;
    const continues = this.#repair.continues(own, node, number, back) ||
      this.#repair.arrived(own, arrival, now);
    return continues ? own : undefined;
  }

  sign(node: string, sign: HubSign, missed: boolean, now: number): void {
    // A sign tells what comes after the one before, and the member has not heard that one.
    if (this.#begun) this.#repair.sign(node, sign, missed, now);
  }

  answered(answer: IndexAnswer | MessagesAnswer, now: number): void {
    if (answer.kind === "messages") return this.#repair.repeated(answer.node, answer, now);
    this.#reading = true;
    this.#repair.indexed(answer.node, answer, now);
    this.#reading = false;
  }

  ended(node: string, how: "gone" | "dead", now: number): void {
    this.#repair.ended(node, how, now);
  }

  away(): void {
    this.#repair.away();
  }

  missed(now: number): void {
    this.#repair.missed(now);
  }

  back(): void {
    this.#repair.back();
  }

  tick(now: number): void {
    this.#repair.tick(now);
  }

  #isEqual(shared: HeardChannel, own: HeardChannel, peer: Peer, now: number): boolean {
    const { repair, peers } = this.#parts;
    const known = peers.get(peer.name);
    if (known === undefined) return true;
    const [last = 0, others = 0] = [own.last(peer), shared.last(known)];
    if (others <= last) return repair.whole(shared, known) >= last;
    // A repair has brought the others what the bus has lost: the member asks for it as well.
    const tails = [[own.name, others] as const];
    const sign = { hub: "", number: others, told: peer.known, tails };
    this.#repair.sign(peer.name, sign, false, now);
    return false;
  }

  #own(channel: HeardChannel): HeardChannel | undefined {
    const followed = this.#followed.get(channel.name);
    if (followed === undefined || followed.own === channel) return undefined;
    if (followed.shared === channel && this.#parts.isMember(channel, this.recipient)) {
      return followed.own;
    }
    // The member has left the channel; if it joins again, that is a new membership.
    this.#followed.delete(channel.name);
    this.#repair.closed(followed.own);
    return undefined;
  }

  #beginFrom({ nodes, channels }: HeardNumbers, now: number): void {
    const { serverName, peers, lives } = this.#parts;
    const numbers = new Map(nodes);
    const last = new Map(channels.map(({ channel, last }) => [channel, new Map(last)]));
    for (const { name } of peers) {
      // The other node did not know it: it had published nothing.
      if (!numbers.has(name) && lives(name)) numbers.set(name, 0);
    }
    numbers.delete(serverName);
    for (const [name, number] of numbers) {
      const peer = this.#peers.heard(name, now);
      if (peer === undefined) return this.fail();
      peer.known = number;
      this.#peers.reached(peer, number);
      for (const { own } of this.#followed.values()) {
        own.passed(peer, last.get(own.name)?.get(name) ?? number);
      }
      if (lives(name)) continue;
      peer.alive = false;
      // It ended while the connection was on its way, and nobody can say what it published last.
      if ((peers.get(name)?.top ?? 0) > number) this.#lostPerhaps();
    }
  }

  #lostPerhaps(): void {
    for (const { shared } of this.#followed.values()) this.#parts.effects.lost(shared, 0);
  }

  /**
   * Something is missing. The member has to end for what was lost on its way; what is lost later, or because
   * a node has ended, is reported, as for all others.
   */
  #lost({ name }: HeardChannel, missing: number): void {
    if (!this.#settled && (missing > 0 || this.#reading)) return this.fail();
    const shared = this.#followed.get(name)?.shared;
    if (shared !== undefined) this.#parts.effects.lost(shared, missing);
  }

  #effects(): RepairEffects {
    const { effects } = this.#parts;
    return {
      get open() {
        return effects.open;
      },
      get lossy() {
        return effects.lossy;
      },
      hears: (node) => effects.hears(node),
      channel: (name) => {
        const followed = this.#followed.get(name);
        return followed && this.#own(followed.shared);
      },
      channels: () => this.channels,
      deliver: (channel, payload) => effects.deliver(channel, payload),
      ask: (node, question) => this.#parts.ask(node, question),
      lost: (channel, missing) => this.#lost(channel, missing),
      soon: (call) => effects.soon(call),
      met: () => {},
      settled: () => {
        // While the channels are not confirmed, more may be missing.
        if (!this.#begun) return;
        this.#settled = true;
        this.#whole.resolve(true);
      },
    };
  }
}
