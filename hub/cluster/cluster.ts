import type { Cluster, ClusterHub, ConnectionChannels } from "../bus/cluster.ts";
import type { BackplaneStatus } from "../bus/node_context.ts";
import {
  type DirectMessage,
  type NodeActivity,
  nodeChannel,
  type NodeMessage,
  type Sign,
  SIGNS,
} from "../bus/node_messages.ts";
import type { TurnListener } from "../scheduling/scheduler.ts";
import { OtherConnections } from "./connection_channels.ts";
import type { ClusterContext } from "./context.ts";
import { KeyRing } from "./key_ring.ts";
import { Listeners } from "./listeners.ts";
import { NodeListening } from "./listening.ts";
import type { Instant } from "./member.ts";
import { Membership } from "./membership.ts";
import type { ServerNode, ServerNodeEvent } from "./node.ts";
import { NodeEvents } from "./node_events.ts";
import { OwnSigns } from "./own_signs.ts";
import { reportCrowd, reportDeath } from "./reports.ts";

/** How long a node that starts waits for an answer, and the pause between two ticks, in milliseconds. */
const PATIENCE = 1000;
const TICK = 1000;

/**
 * The nodes of a farm, as one server sees them.
 *
 * - **Arrival**: the channel of this node is subscribed, then a hello asks for signs, then the channel of all
 *   signs is subscribed, and a sign follows. So of two nodes that start at once, one hears the other.
 * - **Signs** come with the heartbeat of the server. A node whose last sign has reached nobody, and that
 *   knows no other node, gives none: a newcomer says hello.
 */
export class NodeCluster implements Cluster {
  /** The keys that tokens are signed with. */
  readonly keys: KeyRing;
  /** The channels of connections of other nodes. */
  readonly channels: ConnectionChannels;
  readonly #context: ClusterContext;
  readonly #membership: Membership;
  readonly #events: NodeEvents;
  readonly #signs: OwnSigns;
  readonly #listening: NodeListening;
  readonly #listeners = new Listeners();
  readonly #answered = Promise.withResolvers<void>();
  readonly #statusListener: Disposable;
  readonly #turnEnd: TurnListener = { turnEnded: () => this.#signAtTurnEnd() };
  #signWanted = false;
  /** Whether this node hears all signs. */
  #arrived = false;
  #closed = false;
  /** The ticks since the last sign. */
  #ticks = 0;

  /** `connections` counts those of this node. */
  constructor(context: ClusterContext, connections: () => number) {
    this.#context = context;
    const { backplane, clock } = context;
    this.#membership = new Membership((event) => this.#changed(event), clock.now());
    this.#events = new NodeEvents(context.scheduler);
    this.keys = new KeyRing(context.date);
    this.#signs = new OwnSigns(context, this.#listeners.hubs, this.keys, connections);
    this.#listening = new NodeListening(context);
    this.channels = new OtherConnections(context, this.#listening, (said) => this.#receive(said));
    if (backplane.status !== "open") this.#membership.away(this.#now());
    this.#statusListener = backplane.onStatus(({ status }) => {
      if (status !== "open") return this.#membership.away(this.#now());
      this.#membership.back(this.#now());
      // Others may have subscribed meanwhile.
      this.#signs.unheard = false;
    });
  }

  /** All nodes: this one, the living ones, those that have ended in the last ten minutes. */
  get nodes(): ServerNode[] {
    return [this.#signs.node, ...this.#membership.nodes()];
  }

  /** How many nodes live, this one included. */
  get size(): number {
    return this.#membership.size + 1;
  }

  get alone(): boolean {
    // The bus of one process tells at once that nobody else is on it; other buses count this node too.
    return this.#membership.alone || this.#arrived && this.#unheard;
  }

  get counts(): boolean {
    return this.#signs.counts;
  }

  get status(): BackplaneStatus {
    return this.#context.backplane.status;
  }

  /** Calls `listener` with each change of a node's state, until the result is disposed. */
  onChange(listener: (event: ServerNodeEvent) => void): Disposable {
    return this.#events.listen(listener);
  }

  join(hub: ClusterHub): void {
    this.#listeners.join(hub);
  }

  /** Tells `listener` from now on, and no other, what concerns tokens. */
  watchTokens(listener: Listeners["tokens"]): void {
    this.#listeners.tokens = listener;
  }

  /** As {@link watchTokens}, of what concerns requests that nodes relay. */
  watchRelays(listener: Listeners["relay"]): void {
    this.#listeners.relay = listener;
  }

  /**
   * Joins the other nodes; resolves when this one hears them and they have heard of it, however long the bus
   * is away.
   *
   * @throws {BackplaneClosedError} when the backplane is closed.
   */
  async start(): Promise<void> {
    const { serverName } = this.#context;
    await this.#listening.begin(nodeChannel(serverName), (message) => this.#receive(message));
    const reached = await this.#signs.give("hello", this.#membership.interval);
    if (reached !== 0) await this.#answerOrSilence();
    // The farm has a key, or gets one: the first sign tells it before this node is ready.
    void this.keys.signing;
    await this.#listening.begin(SIGNS, (message) => {
      if ("hubs" in message) this.#hear(message);
    });
    this.#arrived = true;
    this.#signs.unheard = false;
    this.#give();
  }

  /** Judges the others, and gives a sign if it is time. Called by the heartbeat. */
  tick(): void {
    this.#membership.tick(this.#now());
    this.#signs.tick();
    if (++this.#ticks * TICK >= this.#membership.interval) this.#give();
  }

  sign(): void {
    if (this.#signWanted) return;
    this.#signWanted = true;
    this.#context.scheduler.atTurnEnd(this.#turnEnd);
  }

  tell(node: string, message: DirectMessage): Promise<number | undefined> {
    return this.#signs.tell(node, message);
  }

  living(): Iterable<string> {
    return this.#membership.living();
  }

  get settled(): boolean {
    return this.#membership.settled(this.#context.clock.now());
  }

  met(node: string): void {
    if (node === this.#context.serverName || this.#membership.lives(node)) return;
    if (!this.#membership.met(node, this.#now())) reportCrowd(this.#context.limitedLog);
  }

  lives(node: string): boolean {
    return this.#membership.lives(node);
  }

  hears(node: string): boolean {
    return this.#membership.hears(node, this.#context.clock.now());
  }

  /** This node does something else from now on; it never goes back to what it did. */
  become(activity: NodeActivity): void {
    const { name: node, state: before } = this.#signs.node;
    if (!this.#signs.become(activity)) return;
    this.#events.tell({ node, state: activity, before });
    this.sign();
  }

  /** Says goodbye; resolves when the bus has taken that, or after a second. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#statusListener[Symbol.dispose]();
    this.#answered.resolve();
    if (!this.#arrived || this.status !== "open" || this.#unheard) return;
    await this.#signs.leave(this.#membership.interval);
  }

  async #answerOrSilence(): Promise<void> {
    const timer = this.#context.clock.after(PATIENCE, this.#answered.resolve);
    await this.#answered.promise;
    timer[Symbol.dispose]();
  }

  #signAtTurnEnd(): void {
    this.#signWanted = false;
    this.#give();
  }

  #give(): void {
    if (!this.#arrived || this.#closed || this.status !== "open") return;
    this.#ticks = 0;
    const { interval } = this.#membership;
    if (this.#unheard) this.#signs.keep(interval);
    else void this.#signs.give("sign", interval);
  }

  /** Whether a sign would reach nobody. */
  get #unheard(): boolean {
    return this.#signs.unheard && this.#membership.size === 0;
  }

  /** Another node says something to this one. */
  #receive(message: NodeMessage): void {
    if (this.#closed) return;
    this.#answered.resolve();
    if ("hubs" in message) return this.#hear(message);
    this.met(message.node);
    this.#listeners.received(message);
  }

  #hear(sign: Sign): void {
    if (this.#closed) return;
    const { node } = sign;
    const heard = this.#membership.heard(sign, this.#now());
    if (heard === undefined) return reportCrowd(this.#context.limitedLog);
    if (heard.isNew) this.#listeners.heard(sign, heard.missed);
    const lacksKeys = this.keys.learn(sign.keys);
    if (sign.kind === "bye") return this.#membership.left(node, this.#now());
    if (this.#membership.lives(node)) this.#listeners.tokens?.lives(node, sign.date);
    if (sign.kind === "hello" || lacksKeys) this.#signs.answer(node);
  }

  #changed(event: ServerNodeEvent): void {
    const { node, state } = event;
    if (state === "dead" || state === "gone") this.#listeners.ended(node, state, this.#context);
    if (state === "dead") reportDeath(this.#context.limitedLog, node);
    this.#events.tell(event);
  }

  #now(): Instant {
    const { clock } = this.#context;
    return { now: clock.now(), date: clock.date() };
  }
}
