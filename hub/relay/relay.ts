/**
 * Requests for connections that are not on the node that got them. This node relays those that it gets to the
 * homes of their connections, and serves those that other nodes relay. `hub/bus/relay_messages.ts` has what
 * nodes say about them.
 *
 * @module
 */
import type { Cluster, ConnectionChannels, RelayListener } from "../bus/cluster.ts";
import type { RelayMessage } from "../bus/relay_messages.ts";
import type { Clock } from "../clock.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import { Holds } from "./holds.ts";
import type { Serve } from "./inward.ts";
import { InwardRequests } from "./inward_requests.ts";
import { Locator } from "./locator.ts";
import type { OutwardRequest } from "./outward.ts";
import { OutwardRequests } from "./outward_requests.ts";
import { nothingYet, type RelayTerms } from "./relay_terms.ts";
import type { Wanted } from "./seek.ts";

/** The options that {@link Relay} reads. */
export interface RelayLimits {
  readonly relayTimeout: number;
  readonly maximumRelays: number;
  readonly transportSendTimeout: number;
}

/** The parts of a node that {@link Relay} needs. */
export interface RelayContext {
  readonly serverName: string;
  readonly clock: Clock;
  readonly scheduler: Pick<Scheduler, "atTurnEnd">;
  readonly limitedLog: Pick<LimitedLog, "log">;
  readonly cluster:
    & Pick<Cluster, "tell" | "living" | "lives" | "settled" | "alone" | "status">
    & { watchRelays(listener: RelayListener): void };
  readonly channels: Pick<ConnectionChannels, "ask">;
}

/** A request, and what is known of the place of its connection. */
export interface RelayTarget extends Wanted, RelayTerms {
  /** The home, if this node has been told. */
  readonly home: string | undefined;
}

/**
 * What became of a request: the answer of the home; `nowhere` if nobody has the connection; `busy` if nobody
 * could tell in time, or too many requests wait; `doubtful` if the home may have acted on the body of a POST.
 */
export type Relayed = Response | "nowhere" | "busy" | "doubtful";

/** Relays requests, and serves relayed ones. */
export class Relay implements RelayListener {
  /** The home of a connection, as far as this node knows it: this node, or where it has let it begin. */
  homeOf: (connectionId: string) => string | undefined = () => undefined;
  readonly #context: RelayContext;
  readonly #limits: RelayLimits;
  readonly #locator: Locator;
  readonly #holds: Holds;
  readonly #outward: OutwardRequests;
  readonly #inward: InwardRequests;
  #isClosed = false;

  constructor(context: RelayContext, limits: RelayLimits) {
    const { scheduler, cluster } = this.#context = context;
    const atTurnEnd = (turnEnded: () => void) => scheduler.atTurnEnd({ turnEnded });
    this.#limits = limits;
    this.#locator = new Locator(context, limits.relayTimeout);
    this.#holds = new Holds(limits.maximumRelays);
    this.#outward = new OutwardRequests({ ...context, atTurnEnd }, limits.relayTimeout);
    this.#inward = new InwardRequests({ ...context, atTurnEnd }, limits.transportSendTimeout);
    cluster.watchRelays(this);
  }

  /** How many requests wait until another node has taken them over. */
  get held(): number {
    return this.#holds.held;
  }

  /** How many requests this node relays, and how many it serves for other nodes. */
  get underWay(): readonly [outward: number, inward: number] {
    return [this.#outward.size, this.#inward.size];
  }

  /** Counts a request that waits for another node; returns what ends that, `undefined` if too many wait. */
  hold(
    { userId, connectionId }: Pick<RelayTarget, "userId" | "connectionId">,
  ): (() => void) | undefined {
    return this.#isClosed ? undefined : this.#holds.take(userId ?? connectionId);
  }

  /** Serves the requests that other nodes relay. */
  serve(serve: Serve): void {
    this.#inward.serve = serve;
  }

  /** Relays a request. Never rejects. */
  async request(target: RelayTarget): Promise<Relayed> {
    if (this.#isClosed) return "busy";
    const release = this.#holds.take(target.userId ?? target.connectionId);
    if (release === undefined) return this.#tooMany();
    const request = this.#outward.create(target, release);
    const outcome = await this.#relay(target, request);
    if (typeof outcome === "string") request.abandon();
    release();
    return outcome;
  }

  received(message: RelayMessage): void {
    switch (message.kind) {
      case "seek":
        return this.#locator.answer(message, this.homeOf(message.connectionId));
      case "sought":
        return this.#locator.answered(message);
      case "relayed":
        return this.#inward.relayed(message);
      case "relayedBody":
        return this.#inward.body(message);
      case "relayedAnswer":
        return this.#outward.answer(message);
      case "relayReceipt":
        return message.toHome ? this.#inward.receipt(message) : this.#outward.receipt(message);
      case "relayEnd":
        return message.toHome ? this.#inward.end(message) : this.#outward.end(message);
    }
  }

  ended(node: string): void {
    this.#locator.ended(node);
    this.#outward.homeEnded(node);
    this.#inward.relayEnded(node);
  }

  /** Answers the requests that wait. */
  close(): void {
    this.#isClosed = true;
    this.#locator.close();
    this.#outward.close();
    this.#inward.close();
  }

  async #relay(target: RelayTarget, request: OutwardRequest): Promise<Relayed> {
    const { connectionId } = target;
    const { cluster, serverName } = this.#context;
    let home = target.home !== undefined && cluster.lives(target.home)
      ? target.home
      : this.#locator.known(connectionId);
    let absent: string | undefined;
    for (;;) {
      if (home === undefined) {
        const found = await this.#locator.find(target);
        if (found === "nowhere") return found;
        if (this.#isClosed && target.verb === "poll") return nothingYet();
        if (found === "late" || this.#isClosed) return "busy";
        home = found.node;
        // Another node may remember a home that the connection has left.
        if (home === absent || home === serverName) return "nowhere";
      }
      const outcome = await this.#outward.ask(request, home);
      if (outcome === "late") return "busy";
      if (outcome !== "absent" && outcome !== "gone") return outcome;
      this.#locator.forget(connectionId);
      if (outcome === "absent") absent = home;
      home = undefined;
    }
  }

  #tooMany(): "busy" {
    const text =
      `${this.#limits.maximumRelays} requests, as many as maximumRelays allows, or 100 of one ` +
      "user wait for other nodes: a further one is refused";
    this.#context.limitedLog.log("warn", "maximumRelays", text);
    return "busy";
  }
}
