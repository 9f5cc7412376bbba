import {
  PIECES_AHEAD,
  type RelayedAnswer,
  type RelayEnd,
  type RelayReceipt,
} from "../bus/relay_messages.ts";
import type { Clock } from "../clock.ts";
import { Deadlines } from "../scheduling/deadlines.ts";
import { BoundedMap } from "./bounded_map.ts";
import { type OutwardContext, OutwardRequest } from "./outward.ts";
import type { Outcome, RelayTerms } from "./relay_terms.ts";
import { INTERVAL } from "./seek.ts";

/** How many requests are remembered that have ended, so that late messages about them change nothing. */
const MAXIMUM_ENDED = 10_000;
/** How often a home is asked whether it still has a request that it has not answered, in milliseconds. */
const CHECK = 15_000;

/** The parts of a node that {@link OutwardRequests} needs. */
export interface OutwardRequestsContext extends OutwardContext {
  readonly clock: Clock;
}

/** The requests that this node relays to the homes of their connections. */
export class OutwardRequests {
  readonly #context: OutwardRequestsContext;
  readonly #timeout: number;
  readonly #requests = new Map<number, OutwardRequest>();
  /** The requests that have ended, and whether this node has the whole answer. */
  readonly #ended = new BoundedMap<number, boolean>(MAXIMUM_ENDED);
  readonly #repeats: Deadlines<OutwardRequest>;
  readonly #checks: Deadlines<OutwardRequest>;
  #lastId = 0;

  /** A home has to take a request within `timeout`, in milliseconds. */
  constructor(context: OutwardRequestsContext, timeout: number) {
    this.#context = context;
    this.#timeout = timeout;
    const { clock } = context;
    this.#repeats = new Deadlines(clock, INTERVAL, (request) => request.repeat());
    this.#checks = new Deadlines(clock, CHECK, (request) => {
      request.check();
      this.#checks.begin(request);
    });
  }

  /** How many requests are relayed. */
  get size(): number {
    return this.#requests.size;
  }

  /** A new request; `taken` is called when a home has it. */
  create(terms: RelayTerms, taken: () => void): OutwardRequest {
    const request = new OutwardRequest(this.#context, terms, this.#timeout, {
      wait: () => this.#repeats.begin(request),
      taken: () => {
        taken();
        this.#checks.begin(request);
      },
      over: (isAnswered) => {
        this.#repeats.end(request);
        this.#checks.end(request);
        this.#requests.delete(request.id);
        this.#ended.set(request.id, isAnswered);
      },
    });
    return request;
  }

  /** Asks a home, perhaps after another one that does not have the connection. */
  ask(request: OutwardRequest, home: string): Promise<Outcome> {
    this.#requests.delete(request.id);
    const id = ++this.#lastId;
    // The client may have gone while another home was looked for.
    if (!request.isOver) this.#requests.set(id, request);
    return request.ask(home, id);
  }

  /** A home has pieces of the body of a request. */
  receipt(message: RelayReceipt): void {
    const request = this.#requests.get(message.id);
    if (request?.home === message.node) request.receipt(message);
  }

  /** A piece of an answer has come. */
  answer(message: RelayedAnswer): void {
    const { id, node: home, number } = message;
    const request = this.#requests.get(id);
    if (request?.home === home) return request.answered(message);
    const { cluster, serverName: node } = this.#context;
    const about = { id, node, toHome: true };
    if (this.#ended.get(id) !== true) {
      return void cluster.tell(home, { kind: "relayEnd", ...about });
    }
    // The last receipt was lost.
    const received = number + 1;
    const allowed = received + PIECES_AHEAD;
    void cluster.tell(home, { kind: "relayReceipt", ...about, received, allowed });
  }

  /** A home does not have the connection of a request, or cannot finish the answer. */
  end(message: RelayEnd): void {
    const request = this.#requests.get(message.id);
    if (request?.home === message.node) request.refused();
  }

  /** A home is there no more. */
  homeEnded(home: string): void {
    for (const request of this.#requests.values()) if (request.home === home) request.homeEnded();
  }

  /** Answers all requests. */
  close(): void {
    for (const request of this.#requests.values()) request.close();
    this.#repeats.clear();
    this.#checks.clear();
  }
}
