import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import type { ClusterHub } from "../../../hub/bus/cluster.ts";
import type { ChannelNumber, HubMessage, HubSign } from "../../../hub/bus/node_messages.ts";
import { steadyDate } from "../../../hub/clock.ts";
import { NodeCluster } from "../../../hub/cluster/cluster.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { KeptLog } from "../../kit/log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { settle } from "../../kit/pipe.ts";

/** A hub that writes down what its cluster tells it. */
export class TestHub implements ClusterHub {
  readonly name: string;
  /** What it tells with its next signs, as far as there is room. */
  tails: ChannelNumber[] = [];
  /** The room of each sign that it was asked for. */
  readonly rooms: [tails: number, characters: number][] = [];
  /** Everything that it was told, in order. */
  readonly events: string[] = [];
  received = (message: HubMessage): void => {
    this.events.push(`${message.node} says ${message.kind}`);
  };
  #told = 0;

  constructor(name: string) {
    this.name = name;
  }

  sign(tails: number, characters: number): HubSign {
    this.rooms.push([tails, characters]);
    const told = this.tails.splice(0, tails);
    this.#told += told.length;
    return { hub: this.name, number: 1000, told: this.#told, tails: told };
  }

  signed({ told, tails }: HubSign, accepted: boolean): void {
    if (tails.length > 0) this.events.push(`told ${told}: ${accepted ? "accepted" : "not sent"}`);
    if (accepted) return;
    this.tails.unshift(...tails);
    this.#told -= tails.length;
  }

  heard(node: string, { told, tails }: HubSign, missed: boolean): void {
    const all = tails.map(([channel, number]) => ` ${channel}=${number}`).join("");
    this.events.push(`${node} told ${told}${all}${missed ? ", missed one" : ""}`);
  }

  ended(node: string, how: "gone" | "dead"): void {
    this.events.push(`${node} is ${how}`);
  }

  /** The events since the last call. */
  take(): string[] {
    return this.events.splice(0);
  }
}

/** A node that is nothing but its part of the cluster. */
export class ClusterNode {
  readonly backplane: RecordingBackplane;
  readonly cluster: NodeCluster;
  readonly log = new KeptLog();
  readonly limitedLog: LimitedLog;
  /** Every change of a node, as `node: before → state`. */
  readonly changes: string[] = [];
  readonly hubs: readonly TestHub[];

  constructor(name: string, bus: MemoryBus, clock: ManualClock, hubs: readonly string[]) {
    const memory = new MemoryBackplane(bus, { logger: this.log });
    const backplane = this.backplane = new RecordingBackplane(memory);
    backplane.heedsNodes = true;
    const limitedLog = this.limitedLog = new LimitedLog(this.log, clock);
    const date = steadyDate(clock);
    const node = { serverName: name, backplane, clock, scheduler: new Scheduler(), limitedLog };
    const context = { ...node, date };
    this.cluster = new NodeCluster(context, () => 3);
    this.cluster.onChange(({ node, state, before }) => {
      this.changes.push(
        before === undefined ? `${node}: ${state}` : `${node}: ${before} → ${state}`,
      );
    });
    this.hubs = hubs.map((hub) => new TestHub(hub));
    for (const hub of this.hubs) this.cluster.join(hub);
  }

  /** Its first hub. */
  get hub(): TestHub {
    const [hub] = this.hubs;
    if (hub === undefined) throw new Error("Cannot find a hub: the node has none");
    return hub;
  }

  /** The states of the other nodes, by name. */
  get others(): Record<string, string> {
    const [, ...others] = this.cluster.nodes;
    return Object.fromEntries(others.map(({ name, state }) => [name, state]));
  }

  /** Its changes since the last call. */
  take(): string[] {
    return this.changes.splice(0);
  }
}

/** Nodes on one bus in memory, with one clock that the test moves. */
export class ClusterFarm implements AsyncDisposable {
  readonly bus = new MemoryBus();
  readonly clock = new ManualClock();
  readonly nodes: ClusterNode[] = [];

  /** A node that has not started. */
  add(name: string, ...hubs: string[]): ClusterNode {
    const node = new ClusterNode(name, this.bus, this.clock, hubs);
    this.nodes.push(node);
    return node;
  }

  /** A node that knows the others. */
  async start(name: string, ...hubs: string[]): Promise<ClusterNode> {
    const node = this.add(name, ...hubs);
    await node.cluster.start();
    node.cluster.become("up");
    await settle();
    return node;
  }

  /** Lets so many seconds pass, with a heartbeat of `beating` in each. */
  async seconds(count: number, beating: readonly ClusterNode[] = this.nodes): Promise<void> {
    for (let second = 0; second < count; second++) {
      this.clock.advance(1000);
      for (const { cluster } of beating) cluster.tick();
      await settle();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { cluster, backplane } of this.nodes) {
      await cluster.close();
      await backplane.close();
    }
  }
}
