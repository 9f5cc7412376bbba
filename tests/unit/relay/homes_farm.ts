import type { TokenListener } from "../../../hub/bus/cluster.ts";
import type { ClaimMessage, DirectMessage, Stand } from "../../../hub/bus/node_messages.ts";
import type { Seek } from "../../../hub/bus/relay_messages.ts";
import { KeyRing } from "../../../hub/cluster/key_ring.ts";
import { Homes } from "../../../hub/relay/homes.ts";
import { Tokens, type VerifiedToken } from "../../../hub/relay/tokens.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { settle } from "../../kit/pipe.ts";

/** How long a token may begin a connection, in milliseconds; a heartbeat longer in fact. */
export const DISCONNECT_TIMEOUT = 15_000;

/** A node that knows where connections begin; what it says reaches the others at once. */
export class HomesNode {
  readonly name: string;
  readonly homes: Homes;
  readonly keys: KeyRing;
  readonly #tokens: Tokens;
  readonly #farm: HomesFarm;
  /** How far its clock is ahead of the others. */
  readonly #ahead: number;
  /** The channels of connections that it hears. */
  readonly hears = new Set<string>();
  /** The nodes that it knows to live. */
  readonly knows = new Set<string>();
  /** Its ear, as long as it lives. */
  listener: TokenListener | undefined;

  constructor(name: string, farm: HomesFarm, ahead: number) {
    this.name = name;
    this.#farm = farm;
    this.#ahead = ahead;
    const { clock } = farm;
    const date = () => this.date;
    this.keys = new KeyRing(date);
    this.#tokens = new Tokens(name, this.keys, date);
    const cluster = {
      tell: (node: string, message: DirectMessage) => farm.tell(node, message),
      living: () => [...this.knows],
      settled: true,
      status: "open",
      watchTokens: (listener: TokenListener) => void (this.listener = listener),
    } as const;
    const channels = {
      ask: (_hub: string, question: Seek | Stand) => farm.ask(question),
      hear: (_hub: string, id: string) => this.#hear(id),
    };
    const context = { serverName: name, clock, cluster, channels, date };
    const limits = { disconnectTimeout: DISCONNECT_TIMEOUT, handshakeTimeout: 15_000 };
    this.homes = new Homes(context, limits);
  }

  #hear(id: string) {
    const confirmed = Promise.resolve().then(() => void this.hears.add(id));
    const unsubscribe = () => Promise.resolve(void this.hears.delete(id));
    return { confirmed, unsubscribe, [Symbol.asyncDispose]: unsubscribe };
  }

  /** The date of its clock. */
  get date(): number {
    return this.#farm.clock.date() + this.#ahead;
  }

  /** A new token. */
  issue(): string {
    return this.#tokens.issue({ hub: "hub", userId: undefined, stateful: false }).token;
  }

  /** What it reads of a token. */
  read(token: string): VerifiedToken {
    const read = this.#tokens.verify(token, "hub");
    if (read === undefined) throw new Error("Cannot verify the token");
    return read;
  }

  /** Where a connection is, once its beginning was tried if it is fresh. */
  async open(token: string): Promise<string> {
    const read = this.read(token);
    const home = this.homes.find(read);
    const result = home.at !== "fresh"
      ? home
      : await (home.asks ? this.homes.claim("hub", read) : this.homes.begin(read));
    return result.at === "elsewhere" ? `elsewhere: ${result.node}` : result.at;
  }
}

/** Nodes that hear each other, with clocks that may be apart. */
export class HomesFarm {
  readonly clock: ManualClock = new ManualClock();
  readonly nodes = new Map<string, HomesNode>();
  /** Everything that was said, as `claim → node`. */
  readonly said: string[] = [];
  /** What does not arrive. */
  loses: (node: string, message: ClaimMessage) => boolean = () => false;
  /** How many have heard a message; `undefined` on a bus that does not count. */
  counts = true;

  /** Adds a node that knows all others, and they know it. */
  add(name: string, ahead = 0): HomesNode {
    const node = new HomesNode(name, this, ahead);
    this.nodes.set(name, node);
    this.signs();
    return node;
  }

  /** Every node hears of every other. */
  signs(): void {
    for (const one of this.nodes.values()) {
      for (const two of this.nodes.values()) {
        if (one === two) continue;
        void two.keys.signing;
        one.keys.learn(two.keys.told);
        one.listener?.lives(two.name, two.date);
        one.knows.add(two.name);
      }
    }
  }

  /** A node ends; the others are told only if `bye`. */
  end(name: string, bye: boolean): void {
    const node = this.nodes.get(name);
    if (node !== undefined) node.listener = undefined;
    this.nodes.delete(name);
    if (bye) this.judge(name);
  }

  /** The others learn that a node is there no more. */
  judge(name: string): void {
    for (const { listener, knows } of this.nodes.values()) {
      knows.delete(name);
      listener?.ended(name);
    }
  }

  /** Asks on the channel of a connection. */
  async ask(question: Seek | Stand): Promise<number> {
    if (question.kind !== "stand") throw new Error("Only candidates are expected");
    this.said.push(`${question.kind} on ${question.connectionId}`);
    await Promise.resolve();
    const hearing = [...this.nodes.values()].filter(({ hears }) =>
      hears.has(question.connectionId)
    );
    for (const { name, listener, knows } of hearing) {
      if (name === question.node || this.loses(name, question)) continue;
      // Whom a node hears, it knows.
      knows.add(question.node);
      listener?.received(question);
    }
    return hearing.length;
  }

  async tell(name: string, message: DirectMessage): Promise<number | undefined> {
    if (message.kind !== "claim" && message.kind !== "claimed" && message.kind !== "stand") {
      throw new Error("Only claims are expected");
    }
    this.said.push(`${message.kind} → ${name}`);
    const listener = this.nodes.get(name)?.listener;
    await Promise.resolve();
    const isLost = this.loses(name, message);
    if (!isLost) {
      this.nodes.get(name)?.knows.add(message.node);
      listener?.received(message);
    }
    return this.counts ? listener === undefined ? 0 : 1 : undefined;
  }

  /** Lets so much time pass, in steps in which everything is answered. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 250) {
      this.clock.advance(Math.min(left, 250));
      await settle();
    }
  }
}
