import type { Cluster, ConnectionChannels } from "../bus/cluster.ts";
import type { Claimed, Stand } from "../bus/node_messages.ts";
import type { Clock } from "../clock.ts";

/** The pause between two rounds of questions, and the longest candidacy, in milliseconds. */
const INTERVAL = 250;
const TIMEOUT = 10_000;

/** How a candidacy ended: the node at which the connection has begun; or `won`; or `late`. */
export type Elected = { readonly home: string } | "won" | "late";

/** The parts of a node that {@link Candidacies} needs. */
export interface CandidaciesContext {
  readonly serverName: string;
  readonly clock: Pick<Clock, "now" | "after">;
  readonly cluster: Pick<Cluster, "tell" | "living" | "settled" | "status">;
  readonly channels: ConnectionChannels;
}

interface Candidacy {
  readonly hub: string;
  readonly connectionId: string;
  readonly due: number;
  readonly settle: (elected: Elected) => void;
  /** The candidates with smaller names that were heard. */
  readonly smaller: Set<string>;
  /** The question of this round, and the nodes that have not answered it. */
  id: number;
  awaited: Set<string>;
  /** Whether that question was asked. */
  isAsked: boolean;
  timer: Disposable | undefined;
}

/**
 * Decides where the connection of a fresh token begins whose issuer has gone. A node that wants to begin it
 * listens to the channel of the connection first, then asks there and at every living node. A node at which the
 * connection has begun says so. Of two candidates the one with the larger name says that it has no objection;
 * the other one asks instead of an answer, and answers when it has begun. So of two nodes that do not know each
 * other one hears the other.
 */
export class Candidacies {
  readonly #context: CandidaciesContext;
  readonly #lifetime: number;
  readonly #newId: () => number;
  readonly #begin: (connectionId: string) => void;
  readonly #byConnection = new Map<string, Candidacy>();
  readonly #byId = new Map<number, Candidacy>();
  /** Ends the hearing of questions about connections that have begun here. */
  readonly #hearing = new Set<() => void>();

  /**
   * `newId` numbers questions; `begin` notes at once that a connection begins here. A token may begin a
   * connection for `lifetime` milliseconds.
   */
  constructor(
    context: CandidaciesContext,
    lifetime: number,
    newId: () => number,
    begin: (connectionId: string) => void,
  ) {
    this.#context = context;
    this.#lifetime = lifetime;
    this.#newId = newId;
    this.#begin = begin;
  }

  /** Stands for a connection. To be called once at a time for each. Resolves within ten seconds. */
  async stand(hub: string, connectionId: string): Promise<Elected> {
    const { clock, channels } = this.#context;
    const { promise, resolve: settle } = Promise.withResolvers<Elected>();
    const candidacy: Candidacy = {
      ...{ hub, connectionId, settle, due: clock.now() + TIMEOUT, smaller: new Set(), id: 0 },
      ...{ awaited: new Set(), isAsked: false, timer: undefined },
    };
    this.#byConnection.set(connectionId, candidacy);
    candidacy.timer = clock.after(TIMEOUT, () => settle("late"));
    const subscription = channels.hear(hub, connectionId);
    subscription.confirmed.then(() => this.#ask(candidacy), () => settle("late"));
    const elected = await promise;
    candidacy.timer[Symbol.dispose]();
    this.#byConnection.delete(connectionId);
    this.#byId.delete(candidacy.id);
    if (elected === "won") this.#hearOn(subscription);
    else subscription.unsubscribe().catch(() => {});
    return elected;
  }

  /** Whether this node answers a question of another candidate: it does not while it goes before that one. */
  answers({ connectionId, node: other }: Stand): boolean {
    const candidacy = this.#byConnection.get(connectionId);
    if (candidacy === undefined) return true;
    const { serverName: node, cluster } = this.#context;
    if (node < other) {
      // The other one may not know this node.
      void cluster.tell(other, { kind: "stand", id: candidacy.id, node, connectionId });
      return false;
    }
    candidacy.smaller.add(other);
    // It is to answer before this node may begin.
    candidacy.awaited.add(other);
    return true;
  }

  /** A node has answered. An answer to an older question is ignored. */
  answered({ id, node, home }: Claimed): void {
    const candidacy = this.#byId.get(id);
    if (home !== undefined) candidacy?.settle({ home });
    else candidacy?.awaited.delete(node);
  }

  /** A node is there no more. */
  ended(node: string): void {
    for (const { awaited, smaller } of this.#byConnection.values()) {
      awaited.delete(node);
      smaller.delete(node);
    }
  }

  /** Ends all candidacies. */
  close(): void {
    for (const { settle } of this.#byConnection.values()) settle("late");
    for (const end of this.#hearing) end();
  }

  /** A candidate that does not know this node may come for as long as the token is fresh. */
  #hearOn(subscription: ReturnType<ConnectionChannels["hear"]>): void {
    const end = () => {
      timer[Symbol.dispose]();
      this.#hearing.delete(end);
      subscription.unsubscribe().catch(() => {});
    };
    const timer = this.#context.clock.after(this.#lifetime, end);
    this.#hearing.add(end);
  }

  /** Begins a round, unless the last one has had no objection. */
  #ask(candidacy: Candidacy): void {
    const { clock, cluster, channels, serverName: node } = this.#context;
    const { connectionId, hub, due, settle, smaller, awaited, isAsked } = candidacy;
    if (this.#byConnection.get(connectionId) !== candidacy) return;
    if (isAsked && awaited.size === 0 && cluster.settled) {
      this.#begin(connectionId);
      return settle("won");
    }
    if (clock.now() >= due) return settle("late");
    candidacy.timer?.[Symbol.dispose]();
    candidacy.timer = clock.after(INTERVAL, () => this.#ask(candidacy));
    this.#byId.delete(candidacy.id);
    candidacy.isAsked = cluster.status === "open";
    if (!candidacy.isAsked) return;
    const id = candidacy.id = this.#newId();
    this.#byId.set(id, candidacy);
    candidacy.awaited = new Set([...cluster.living(), ...smaller]);
    const question = { kind: "stand", id, node, connectionId } as const;
    for (const other of candidacy.awaited) void cluster.tell(other, question);
    channels.ask(hub, question).then((reached) => {
      // A candidate that does not know this node has not heard the question.
      if (reached === null && candidacy.id === id) candidacy.awaited.add(node);
    });
  }
}
