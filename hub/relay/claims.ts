import type { Cluster } from "../bus/cluster.ts";
import type { Claimed } from "../bus/node_messages.ts";
import type { Clock } from "../clock.ts";

/** The pause between two questions about one token, in milliseconds. */
const INTERVAL = 250;
/** How long a request waits for the node that has issued its token, in milliseconds. */
const TIMEOUT = 10_000;
/** For how long nobody may hear the questions before the node counts as gone, in milliseconds. */
const UNHEARD = 2000;

/**
 * The answer of the node that has issued a token: the home of the connection, or `undefined` if the token is too
 * old to begin one; or `gone` if that node is there no more, `late` if no answer has come in time.
 */
export type ClaimAnswer = { readonly home: string | undefined } | "gone" | "late";

/** The parts of a node that {@link Claims} needs. */
export interface ClaimContext {
  readonly serverName: string;
  readonly clock: Clock;
  readonly cluster: Pick<Cluster, "tell">;
}

interface Question {
  readonly issuer: string;
  settle(answer: ClaimAnswer): void;
}

/** Asks the nodes that have issued tokens whether the connections of those tokens may begin here. */
export class Claims {
  readonly #context: ClaimContext;
  readonly #open = new Map<number, Question>();
  #lastId = 0;

  constructor(context: ClaimContext) {
    this.#context = context;
  }

  /** The id of a question that is not asked here: no two questions of a node have one id. */
  newId(): number {
    return ++this.#lastId;
  }

  /**
   * Asks `issuer` until there is an answer: an answer may be lost, and the bus may be away. Resolves within
   * ten seconds.
   */
  ask(issuer: string, connectionId: string, issued: number): Promise<ClaimAnswer> {
    const { promise, resolve } = Promise.withResolvers<ClaimAnswer>();
    const { clock, cluster, serverName: node } = this.#context;
    const id = this.newId();
    const begun = clock.now();
    let heard = begun;
    let timer: Disposable | undefined;
    this.#open.set(id, {
      issuer,
      settle: (answer) => {
        this.#open.delete(id);
        timer?.[Symbol.dispose]();
        resolve(answer);
      },
    });
    const publish = () => {
      const now = clock.now();
      if (now - begun >= TIMEOUT) return this.#settle(id, "late");
      if (now - heard >= UNHEARD) return this.#settle(id, "gone");
      timer = clock.after(INTERVAL, publish);
      cluster.tell(issuer, { kind: "claim", id, node, connectionId, issued }).then((nodes) => {
        if (nodes !== 0) heard = clock.now();
      });
    };
    publish();
    return promise;
  }

  /** A node has answered. An answer to an unknown question is ignored: it may be the second. */
  answered({ id, node, home }: Claimed): void {
    if (this.#open.get(id)?.issuer === node) this.#settle(id, { home });
  }

  /** A node is there no more. */
  ended(node: string): void {
    for (const [id, { issuer }] of this.#open) {
      if (issuer === node) this.#settle(id, "gone");
    }
  }

  /** Nobody is asked any more. */
  close(): void {
    for (const id of this.#open.keys()) this.#settle(id, "late");
  }

  #settle(id: number, answer: ClaimAnswer): void {
    this.#open.get(id)?.settle(answer);
  }
}
