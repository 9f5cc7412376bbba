import type { ClusterHub } from "../bus/cluster.ts";
import { smallerMessage } from "../bus/smaller_message.ts";
import { writeNodeMessage } from "../bus/write_node_message.ts";
import {
  ACTIVITIES,
  type HubSign,
  type NodeActivity,
  nodeChannel,
  type NodeMessage,
  type Sign,
  SIGNS,
} from "../bus/node_messages.ts";
import type { Backplane } from "../bus/node_context.ts";
import type { Clock } from "../clock.ts";
import type { KeyRing } from "./key_ring.ts";
import type { ServerNode } from "./node.ts";

/** The most tails of a sign, and the most characters of their channels: with the rest some 64 KiB. */
const MAXIMUM_TAILS = 500;
const MAXIMUM_CHARACTERS = 60_000;
/** How often the room may be halved, on a bus that refuses signs as too large: any channel still has room. */
const MAXIMUM_HALVINGS = 5;
/** How many nodes that have just started are answered between two ticks. */
const MAXIMUM_ANSWERS = 100;
/** The longest that a goodbye may take, in milliseconds. */
const PATIENCE = 1000;

/** The parts of a node that its signs need. */
export interface SigningContext {
  readonly serverName: string;
  readonly backplane: Backplane;
  readonly clock: Pick<Clock, "date" | "after">;
  /** The date of this node as other nodes know it: it never jumps. */
  readonly date: () => number;
}

/** The messages of this node to others: its signs of life, and what its hubs say to one node. */
export class OwnSigns {
  /** Whether the last sign has reached nobody. */
  unheard = false;
  /** Whether the bus has told how many nodes have heard a sign. */
  counts = false;
  readonly #context: SigningContext;
  readonly #hubs: readonly ClusterHub[];
  readonly #keys: KeyRing;
  readonly #connections: () => number;
  /** The last sign, without tails. */
  #last: Sign | undefined;
  /** What this node is doing, and the dates of its start and of the last change. */
  #activity: NodeActivity = "starting";
  readonly #started: number;
  #since: number;
  /** The number of the last sign that was handed to the bus. */
  #id = 0;
  /** How often the room of a sign was halved. */
  #halvings = 0;
  /** The hub that has the most room in the next sign. */
  #first = 0;
  /** The answers since the last tick. */
  #answers = 0;

  /** `hubs` and `keys` may grow; `connections` counts those of this node. */
  constructor(
    context: SigningContext,
    hubs: readonly ClusterHub[],
    keys: KeyRing,
    connections: () => number,
  ) {
    this.#context = context;
    this.#hubs = hubs;
    this.#keys = keys;
    this.#connections = connections;
    this.#started = this.#since = context.clock.date();
  }

  /** This node, as in the list of all nodes. */
  get node(): ServerNode {
    return {
      name: this.#context.serverName,
      state: this.#activity,
      since: this.#since,
      started: this.#started,
      connections: this.#connections(),
      lastSign: this.#last?.date,
    };
  }

  /** This node does something else from now on, and never goes back. Returns whether that is a change. */
  become(activity: NodeActivity): boolean {
    if (ACTIVITIES.indexOf(activity) <= ACTIVITIES.indexOf(this.#activity)) return false;
    this.#activity = activity;
    this.#since = this.#context.clock.date();
    return true;
  }

  /**
   * Gives a sign to all nodes; the next one comes after `interval`. Resolves with how many nodes have heard
   * it, or with nothing if the bus cannot tell or has not taken it. Never rejects.
   */
  async give(kind: Sign["kind"], interval: number): Promise<number | undefined> {
    for (;;) {
      this.#id++;
      const hubs = this.#ask(kind === "bye");
      const outcome = await this.#publish(this.#compose(kind, interval, [...hubs.values()]));
      for (const [hub, sign] of hubs) hub.signed(sign, !(outcome instanceof Error));
      if (!(outcome instanceof Error)) return outcome;
      // Nobody has a sign that the bus refuses as too large: a smaller one follows.
      if (!isTooLarge(outcome) || this.#halvings === MAXIMUM_HALVINGS) return undefined;
      this.#halvings++;
    }
  }

  /** Resolves with the number of nodes that a sign has reached, or with the error why it has not left. */
  async #publish(sign: Sign): Promise<number | undefined | Error> {
    try {
      // To count is more work for a NATS server.
      const reached = await this.#hand(SIGNS, sign, sign.kind === "hello");
      this.unheard = reached === 0;
      if (reached !== undefined && reached > 0) this.counts = true;
      return reached;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Takes note of what a sign would tell that nobody would hear. */
  keep(interval: number): void {
    const hubs = this.#ask(false);
    this.#compose("sign", interval, [...hubs.values()]);
    for (const [hub, sign] of hubs) hub.signed(sign, true);
  }

  /** Repeats the last sign to a node that has just started, or lacks keys; 100 times between two ticks. */
  answer(node: string): void {
    if (this.#last === undefined || this.#answers++ >= MAXIMUM_ANSWERS) return;
    void this.tell(node, { ...this.#last, date: this.#context.date(), keys: this.#keys.told });
  }

  /** Answers again. Called by the heartbeat. */
  tick(): void {
    this.#answers = 0;
  }

  /** Says goodbye; resolves when the bus has taken that, or after a second. */
  async leave(interval: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#context.clock.after(PATIENCE, late.resolve);
    await Promise.race([this.give("bye", interval), late.promise]);
    timer[Symbol.dispose]();
  }

  /** As `Cluster.tell()` of `hub/bus/cluster.ts`. */
  async tell(node: string, message: NodeMessage): Promise<number | undefined> {
    let next: NodeMessage | undefined = message;
    while (next !== undefined) {
      try {
        return await this.#hand(nodeChannel(node), next, true);
      } catch (error) {
        next = isTooLarge(error) ? smallerMessage(next) : undefined;
      }
    }
    return undefined;
  }

  /** What each hub has to tell; the hub that comes first is another one each time. */
  #ask(last: boolean): Map<ClusterHub, HubSign> {
    const asked = new Map<ClusterHub, HubSign>();
    let tails = MAXIMUM_TAILS >> this.#halvings;
    let characters = MAXIMUM_CHARACTERS >> this.#halvings;
    const first = this.#first++ % Math.max(1, this.#hubs.length);
    for (const hub of [...this.#hubs.slice(first), ...this.#hubs.slice(0, first)]) {
      const sign = hub.sign(tails, characters, last);
      asked.set(hub, sign);
      tails -= sign.tails.length;
      for (const [channel] of sign.tails) characters -= channel.length;
    }
    return asked;
  }

  #compose(kind: Sign["kind"], interval: number, hubs: readonly HubSign[]): Sign {
    const { date, serverName: node } = this.#context;
    const [activity, started, connections] = [this.#activity, this.#started, this.#connections()];
    const about = { id: this.#id, node, activity, interval, started, date: date() };
    const sign: Sign = { kind, ...about, connections, hubs, keys: this.#keys.told };
    const told = hubs.map(({ hub, number, told }) => ({ hub, number, told, tails: [] }));
    this.#last = { ...sign, kind: "sign", hubs: told };
    return sign;
  }

  /** A driver that throws, or returns no promise, rejects. */
  async #hand(
    channel: string,
    message: NodeMessage,
    counted: boolean,
  ): Promise<number | undefined> {
    return await this.#context.backplane.publish(channel, writeNodeMessage(message), counted);
  }
}

/** A bus refuses a payload that is over its limit with a `RangeError`. */
function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError;
}
