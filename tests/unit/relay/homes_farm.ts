import type { TokenListener } from "../../../hub/bus/cluster.ts";
import type { ClaimMessage, HubMessage } from "../../../hub/bus/node_messages.ts";
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
      tell: (node: string, message: HubMessage | ClaimMessage) => farm.tell(node, message),
      watchTokens: (listener: TokenListener) => void (this.listener = listener),
    };
    const context = { serverName: name, clock, cluster, date };
    const limits = { disconnectTimeout: DISCONNECT_TIMEOUT, handshakeTimeout: 15_000 };
    this.homes = new Homes(context, limits);
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
      : await (home.asks ? this.homes.claim(read) : this.homes.begin(read));
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
      }
    }
  }

  /** A node ends; the others are told only if `bye`. */
  end(name: string, bye: boolean): void {
    const node = this.nodes.get(name);
    if (node !== undefined) node.listener = undefined;
    this.nodes.delete(name);
    if (bye) { for (const { listener } of this.nodes.values()) listener?.ended(name); }
  }

  async tell(name: string, message: HubMessage | ClaimMessage): Promise<number | undefined> {
    if ("hub" in message) throw new Error("Only claims are expected");
    this.said.push(`${message.kind} → ${name}`);
    const listener = this.nodes.get(name)?.listener;
    await Promise.resolve();
    const isLost = this.loses(name, message);
    if (!isLost) listener?.received(message);
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
