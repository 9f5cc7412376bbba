import type { Cluster, ConnectionChannels } from "../bus/cluster.ts";
import type { Clock } from "../clock.ts";

/** The pause between two rounds of questions, in milliseconds. */
export const INTERVAL = 250;

/**
 * The result of a search: the home of a connection; `nowhere` if nobody has the connection; `late` if nobody
 * could tell in time.
 */
export type Found = { readonly node: string } | "nowhere" | "late";

/** The connection that is looked for. */
export interface Wanted {
  readonly connectionId: string;
  /** The name of its hub on the bus. */
  readonly hub: string;
  /** The node that has issued the token, if this node knows it. */
  readonly issuer: string | undefined;
  /** Whether the connection may be so young that its home does not hear its channel yet, nor this node know it. */
  readonly isYoung: boolean;
  /** Whether the connection may still begin on another node. */
  readonly mayBegin: boolean;
}

/** The parts of a node that a {@link Seek} needs. */
export interface SeekContext {
  readonly serverName: string;
  readonly clock: Pick<Clock, "now" | "after">;
  readonly cluster: Pick<
    Cluster,
    "tell" | "living" | "lives" | "settled" | "alone" | "status"
  >;
  readonly channels: Pick<ConnectionChannels, "ask">;
}

/**
 * Looks for the home of one connection. Each round asks on the channel of the connection, which its home
 * hears, and asks the node that has issued a young token: its connection may have no channel yet. All
 * nodes are asked where that is not enough: the bus cannot tell that nobody hears a channel, or the issuer has
 * gone.
 *
 * Nobody has the connection if everybody who was asked in one round has said so, and at that time nobody may
 * be out of reach. Until then the rounds go on.
 */
export class Seek {
  /** The ids of the questions of this round: on the channel, and to nodes. */
  channelId = 0;
  nodesId = 0;
  readonly #context: SeekContext;
  readonly #wanted: Wanted;
  readonly #newId: (seek: Seek, old: number) => number;
  readonly #settle: (found: Found) => void;
  readonly #due: number;
  #timer: Disposable | undefined;
  #round = 0;
  /** How many nodes have heard the question on the channel: `null` if it did not leave. */
  #reached: number | undefined | null = null;
  /** How many of them have said no. */
  #refused = 0;
  /** The nodes that were asked and have not said no. */
  #asked = new Set<string>();
  #asksAll = false;
  #isOver = false;

  /** `newId` registers this under a new id in place of an old one. `settle` is called once, within `timeout`. */
  constructor(
    context: SeekContext,
    wanted: Wanted,
    timeout: number,
    newId: (seek: Seek, old: number) => number,
    settle: (found: Found) => void,
  ) {
    this.#context = context;
    this.#wanted = wanted;
    this.#newId = newId;
    this.#settle = settle;
    this.#due = context.clock.now() + timeout;
  }

  /** Begins the next round. */
  ask(): void {
    if (this.#isOver) return;
    const { clock, cluster, channels, serverName: node } = this.#context;
    const { connectionId, hub } = this.#wanted;
    // Nobody else is there.
    if (cluster.alone) return this.end("nowhere");
    const left = this.#due - clock.now();
    if (left <= 0) return this.end("late");
    this.#timer = clock.after(Math.min(INTERVAL, left), () => this.ask());
    this.#round++;
    const knew = this.#reached;
    this.#reached = null;
    this.#refused = 0;
    this.#asked = new Set();
    if (cluster.status !== "open") return;
    const question = { kind: "seek", node, connectionId } as const;
    this.nodesId = this.#newId(this, this.nodesId);
    const id = this.channelId = this.#newId(this, this.channelId);
    for (const other of this.#nodes(knew)) {
      this.#asked.add(other);
      void cluster.tell(other, { ...question, id: this.nodesId });
    }
    channels.ask(hub, { ...question, id }).then((reached) => {
      if (id !== this.channelId) return;
      this.#reached = reached;
      this.#look();
    });
  }

  /** A node has answered the question `id`. */
  answered(id: number, node: string, home: string | undefined): void {
    const { cluster } = this.#context;
    if (home !== undefined && (home === node || cluster.lives(home))) {
      return this.end({ node: home });
    }
    if (id === this.channelId) this.#refused++;
    else if (id === this.nodesId) this.#asked.delete(node);
    this.#look();
  }

  /** A node is there no more. */
  ended(node: string): void {
    if (this.#asked.delete(node)) this.#look();
  }

  /** Ends the search. */
  end(found: Found): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.[Symbol.dispose]();
    this.#settle(found);
  }

  /** The nodes to ask in this round; `knew` is how many have heard the last question on the channel. */
  #nodes(knew: number | undefined | null): Iterable<string> {
    const { cluster } = this.#context;
    const { issuer, isYoung } = this.#wanted;
    const cannotTell = knew === undefined && this.#round > 1;
    const issuerLives = issuer !== undefined && cluster.lives(issuer);
    this.#asksAll = cannotTell || isYoung && !issuerLives;
    if (this.#asksAll) return cluster.living();
    return isYoung && issuerLives ? [issuer] : [];
  }

  #look(): void {
    const reached = this.#reached;
    if (this.#isOver || reached === null || !this.#context.cluster.settled) return;
    const nobodyHears = reached === undefined ? this.#asksAll : this.#refused >= reached;
    if (nobodyHears && this.#asked.size === 0) this.end("nowhere");
  }
}
