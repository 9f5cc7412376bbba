import { delay } from "@std/async";
import type { Backplane } from "../../backplanes/backplane.ts";
import { endHubs } from "../../hub/serving/drain.ts";
import type { NodeCluster } from "../../hub/cluster/cluster.ts";
import type { LiveHub, ServerRules } from "../../hub/serving/live_hub.ts";
import type { LimitedLog } from "../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../hub/scheduling/scheduler.ts";
import type { HubServerOptions } from "../../hub/options/server.ts";
import { defineHub, type HubContext, type HubDefinition, type HubMethods } from "../../mod.ts";
import { endOfTurn } from "./end_of_turn.ts";
import { Events } from "./wait.ts";
import { HubCore } from "./hub_core.ts";
import type { ManualClock } from "./manual_clock.ts";
import { PipeClient } from "./pipe.ts";
import type { KeptLog } from "./log.ts";

/** What the clients of these tests can be told. */
export interface TestClient {
  heard(...args: unknown[]): void;
}

/** What a test may change. */
export interface PipeNodeOptions extends HubServerOptions, Pick<ServerRules, "filters"> {
  readonly methods?: HubMethods;
  readonly disconnected?: HubDefinition<HubMethods>["disconnected"];
  readonly resumed?: HubDefinition<HubMethods>["resumed"];
  /** The hub's name. Default: `hub`. */
  readonly name?: string;
}

let nodes = 0;

/** A hub core without HTTP: its clients come by pipe and its time is moved by hand. */
export class PipeNode<B extends Backplane> implements AsyncDisposable {
  readonly backplane: B;
  readonly serverName: string = `node_${++nodes}`;
  readonly hub: LiveHub;
  readonly clock: ManualClock;
  /** Knows the other nodes only if the test starts it. */
  readonly cluster: NodeCluster;
  /** A scheduler for what has no part in the turns of the hub: a turn has time for 256 steps. */
  readonly scheduler: Scheduler;
  readonly logger: KeptLog;
  readonly limitedLog: LimitedLog;
  readonly #connected = new Events<string>();

  constructor(backplane: B, options: PipeNodeOptions = {}) {
    this.backplane = backplane;
    const { methods = {}, disconnected, resumed, name, ...rest } = options;
    const hub = defineHub({
      methods,
      connected: ({ connectionId }: HubContext<never, never>) => this.#connected.add(connectionId),
      ...disconnected && { disconnected },
      ...resumed && { resumed },
    });
    const core = new HubCore(hub, rest, backplane, this.serverName, name);
    this.hub = core.live;
    this.clock = core.clock;
    this.cluster = core.cluster;
    this.scheduler = new Scheduler(core.clock);
    this.logger = core.log;
    this.limitedLog = core.limitedLog;
  }

  /** Makes a node that hears the others. */
  static async start<B extends Backplane>(
    backplane: B,
    options?: PipeNodeOptions,
  ): Promise<PipeNode<B>> {
    const node = new PipeNode(backplane, options);
    await node.#passUntil(Promise.all([node.cluster.start(), node.hub.start()]));
    return node;
  }

  /** The sets that can be addressed. */
  get clients(): HubContext<TestClient>["clients"] {
    return this.hub.clients as unknown as HubContext<TestClient>["clients"];
  }

  get groups(): LiveHub["groups"] {
    return this.hub.groups;
  }

  /** The channels that every node needs, sorted. */
  get baseChannels(): string[] {
    const own = ["ack", "return"].map((use) => `hub:internal:${use}:${this.serverName}`);
    return ["hub:all", "hub:internal:groups", ...own].sort();
  }

  /** A client that has been admitted. */
  async connect(id: string, userId?: string): Promise<PipeClient> {
    const client = new PipeClient(this.hub, id, userId);
    await this.#connected.find((connected) => connected === id, `connection ${id}`);
    return client;
  }

  /** Lets time pass, then looks at everything that depends on it. */
  advance(duration: number): void {
    this.clock.advance(duration);
    this.limitedLog.sweep();
    this.cluster.tick();
    this.hub.tick();
  }

  /** Where its bus cannot count, a node that starts waits a second for the others. */
  async #passUntil(started: Promise<unknown>): Promise<void> {
    let isOver = false;
    const over = () => void (isOver = true);
    started.then(over, over);
    for (let turn = 0; !isOver; turn++) {
      if (turn < 20) await endOfTurn();
      else {
        await delay(5);
        this.clock.advance(100);
      }
    }
    await started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endHubs([this.hub], this);
    await this.cluster.close();
    this.hub.close();
    await this.backplane.close();
  }
}
