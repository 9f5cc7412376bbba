import type { HubConnection } from "../../../hub/connection/connection.ts";
import { Link } from "../../../hub/connection/link.ts";
import {
  type ConnectionState,
  readConnectionState,
  writeConnectionState,
} from "../../../hub/moves/connection_state.ts";
import type { Arrived } from "../../../hub/serving/moves.ts";
import { type HubContext, MemoryBus } from "../../../mod.ts";
import { MemoryPipe, settle } from "../../kit/pipe.ts";
import { PipeNode, type PipeNodeOptions } from "../../kit/pipe_node.ts";
import { StatefulClient } from "../hub/stateful_client.ts";
import { LaggingBackplane } from "./lagging_backplane.ts";

export type FarmNode = PipeNode<LaggingBackplane>;

/** What a hook was called for, and where. */
export interface HookCall {
  readonly hook: "resumed" | "disconnected";
  readonly node: number;
  readonly context: HubContext<never>;
}

/** A request for a connection; its text tells which one it was. */
export function requestOf(text: string): { url: string; headers: Headers } {
  return { url: `http://localhost/hub?${text}`, headers: new Headers() };
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

/** A client whose connection goes from node to node. */
export class MovingClient {
  connection: HubConnection;
  pipe: MemoryPipe = new MemoryPipe();
  readonly peer: StatefulClient;
  readonly #userId: string | undefined;

  constructor(node: FarmNode, id: string, userId?: string) {
    this.#userId = userId;
    const from = { id, user: this.#user, request: requestOf("first"), stateful: true };
    this.connection = node.hub.connect(this.pipe, from);
    this.pipe.attach(new Link(this.pipe, this.connection));
    this.pipe.send({ protocol: "json", version: 2 });
    // A client that has handled the answer to its handshake.
    this.peer = new StatefulClient(this);
  }

  get #user(): { id: string } | undefined {
    return this.#userId === undefined ? undefined : { id: this.#userId };
  }

  /** The connection leaves its node; the state goes over the bus. */
  leave(node: FarmNode): ConnectionState | undefined {
    const state = node.hub.moves.leave(this.connection);
    return state && readConnectionState(writeConnectionState(state));
  }

  /** The connection goes on at another node, which has got a request. */
  join(node: FarmNode, state: ConnectionState, request = "again"): Arrived | undefined {
    const arrived = node.hub.moves.join(state, { user: this.#user, request: requestOf(request) });
    if (arrived !== undefined) this.connection = arrived.connection;
    return arrived;
  }

  /** Leaves one node for another, where the client comes back. */
  async move(from: FarmNode, to: FarmNode): Promise<boolean> {
    this.peer.cut(true);
    const state = this.leave(from);
    const arrived = state && this.join(to, state);
    if (arrived === undefined) throw new Error("Cannot move the connection now");
    const whole = await arrived.whole;
    this.peer.comeBack();
    return whole;
  }
}
