import { type HubContext, MemoryBus } from "../../../mod.ts";
import { settle } from "../../kit/pipe.ts";
import { PipeNode, type PipeNodeOptions } from "../../kit/pipe_node.ts";
import { LaggingBackplane } from "./lagging_backplane.ts";
import { MovingClient } from "./moving_client.ts";

export type FarmNode = PipeNode<LaggingBackplane>;

/** What a hook was called for, and where. */
export interface HookCall {
  readonly hook: "resumed" | "disconnected";
  readonly node: number;
  readonly context: HubContext<never>;
}

/** Some nodes on one bus, whose connections the test moves. */
export class MovingFarm implements AsyncDisposable {
  readonly nodes: FarmNode[] = [];
  readonly hooks: HookCall[] = [];
  readonly #bus = new MemoryBus();
  readonly #options: PipeNodeOptions;

  private constructor(options: PipeNodeOptions) {
    this.#options = options;
  }

  static async start(count: number, options: PipeNodeOptions = {}): Promise<MovingFarm> {
    const farm = new MovingFarm(options);
    while (farm.nodes.length < count) await farm.begin();
    return farm;
  }

  /** A node begins. */
  async begin(): Promise<FarmNode> {
    const index = this.nodes.length;
    const note = (hook: HookCall["hook"]) => (context: HubContext<never>) =>
      void this.hooks.push({ hook, node: index, context });
    const hooks = { resumed: note("resumed"), disconnected: note("disconnected") };
    const node = await PipeNode.start(new LaggingBackplane(this.#bus), {
      ...hooks,
      ...this.#options,
    });
    this.nodes.push(node);
    node.cluster.become("up");
    await settle();
    return node;
  }

  /** A node says goodbye. */
  async end(node: FarmNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await node[Symbol.asyncDispose]();
    await settle();
  }

  node(index: number): FarmNode {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`Cannot find node ${index}`);
    return node;
  }

  /** A client that may come back, connected to a node. */
  async connect(index: number, id: string, userId?: string): Promise<MovingClient> {
    const client = new MovingClient(this.node(index), id, userId);
    await settle();
    return client;
  }

  /** Lets time pass for all nodes, in steps of 50 ms. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 50) {
      for (const node of this.nodes) node.clock.advance(50);
      await settle();
    }
    for (const node of this.nodes) node.advance(0);
    await settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) {
      node.backplane.lags = false;
      node.backplane.release();
    }
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }
}
