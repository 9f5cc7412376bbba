import type { RelayedBody, RelayedRequest, RelayEnd, RelayReceipt } from "../bus/relay_messages.ts";
import type { Clock } from "../clock.ts";
import { Deadlines } from "../scheduling/deadlines.ts";
import { BoundedMap } from "./bounded_map.ts";
import { type InwardContext, InwardRequest, type Serve } from "./inward.ts";
import { INTERVAL } from "./seek.ts";

/** How many requests are remembered that have ended, so that late messages about them change nothing. */
const MAXIMUM_ENDED = 10_000;

/** The parts of a node that {@link InwardRequests} needs. */
export interface InwardRequestsContext extends InwardContext {
  readonly clock: Clock;
}

/** The requests that other nodes relay, for connections of this node. */
export class InwardRequests {
  /** Serves a request for a connection of this node. */
  serve: Serve = () => undefined;
  readonly #context: InwardRequestsContext;
  readonly #patience: number;
  readonly #requests = new Map<string, InwardRequest>();
  /** The requests that have ended here. */
  readonly #ended = new BoundedMap<string, true>(MAXIMUM_ENDED);
  readonly #repeats: Deadlines<InwardRequest>;

  /** A relay may take nothing of an answer for `patience` milliseconds. */
  constructor(context: InwardRequestsContext, patience: number) {
    this.#context = context;
    this.#patience = patience;
    this.#repeats = new Deadlines(context.clock, INTERVAL, (request) => request.repeat());
  }

  /** How many requests are served. */
  get size(): number {
    return this.#requests.size;
  }

  /** Another node relays a request, or repeats one. */
  relayed(message: RelayedRequest): void {
    const key = keyOf(message);
    const known = this.#requests.get(key);
    if (known !== undefined) return known.repeated();
    // A copy, as a second bus brings; or nobody waits any more.
    if (this.#ended.get(key)) return;
    const request = new InwardRequest(this.#context, message, this.#patience, {
      wait: () => this.#repeats.begin(request),
      over: () => {
        this.#repeats.end(request);
        this.#requests.delete(key);
        this.#ended.set(key, true);
      },
    });
    this.#requests.set(key, request);
    if (request.begin(message, this.serve)) return;
    this.#requests.delete(key);
    this.#refuse(message);
  }

  /** A piece of the body of a request has come: without effect if the request itself has not, which is repeated. */
  body(message: RelayedBody): void {
    this.#requests.get(keyOf(message))?.receive(message);
  }

  /** A relay has pieces of an answer, or asks whether the request is still here. */
  receipt(message: RelayReceipt): void {
    const request = this.#requests.get(keyOf(message));
    if (request !== undefined) request.receipt(message);
    else if (message.received === 0) this.#refuse(message);
  }

  /** A relay does not wait any more. */
  end(message: RelayEnd): void {
    const key = keyOf(message);
    this.#ended.set(key, true);
    this.#requests.get(key)?.cancelled();
  }

  /** A relay is there no more. */
  relayEnded(relay: string): void {
    for (const request of this.#requests.values()) if (request.relay === relay) request.cancelled();
  }

  /** Ends all requests. */
  close(): void {
    for (const request of this.#requests.values()) request.fail();
    this.#repeats.clear();
  }

  /** Tells a relay that its request is not served here. */
  #refuse({ node: relay, id }: { readonly node: string; readonly id: number }): void {
    const { cluster, serverName: node } = this.#context;
    void cluster.tell(relay, { kind: "relayEnd", id, node, toHome: false });
  }
}

function keyOf({ node, id }: { readonly node: string; readonly id: number }): string {
  return `${id} ${node}`;
}
