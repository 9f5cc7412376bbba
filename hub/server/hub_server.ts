import type { BackplaneStatus } from "../bus/node_context.ts";
import type { ServerStatusEvent } from "../serving/status_reports.ts";
import type { ServerNode, ServerNodeEvent } from "../cluster/node.ts";
import type { HubClients, HubGroups } from "../definition/clients.ts";
import type { ClientOf } from "../definition/hub_proxy.ts";
import type { DrainOptions } from "../options/serving.ts";
import type { ServerHealth } from "../serving/health.ts";
import type { ANSWERER, Answerer } from "../transports/acceptor.ts";
import type { Hubs } from "./configuration.ts";

/** Sends to the clients of a hub from outside its methods. */
export interface HubHandle<C> {
  /** The clients that messages can be sent to. */
  readonly clients: HubClients<C>;
  /** Adds connections to groups and removes them. */
  readonly groups: HubGroups;
}

/** Serves hubs; made by {@link createHubServer}. */
export interface HubServer<H extends Hubs> extends AsyncDisposable {
  /** Resolves when this node hears and reaches the other nodes; rejects when the backplane is `closed`. */
  readonly ready: Promise<void>;
  /** The status of the backplane. */
  readonly status: BackplaneStatus;
  /**
   * Returns how this node is. The node is `ready` while new clients should come to it: before it has reached
   * the backplane once, while it drains and when it is closed, they should not. A node that has lost its
   * backplane is `degraded` and stays ready, so that a fleet does not leave its balancer together.
   */
  health(): ServerHealth;
  /** All nodes of this server: first this node, then the others, as far as they are known. */
  readonly nodes: readonly ServerNode[];
  /** Answers a request. The function is bound: `Deno.serve(server.fetch)`. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Calls `listener` with every status event of the backplane, until the result is disposed. */
  onStatus(listener: (event: ServerStatusEvent) => void | Promise<void>): Disposable;
  /**
   * Calls `listener` with each change of a node's state, this node's too, until the result is disposed. A
   * listener that throws or rejects is logged.
   */
  onNodes(listener: (event: ServerNodeEvent) => void | Promise<void>): Disposable;
  /**
   * Returns the hub at a path, to send to its clients from outside its methods.
   *
   * @throws {TypeError} if no hub has that path.
   */
  hub<P extends keyof H & string>(path: P): HubHandle<ClientOf<H[P]>>;
  /**
   * Asks all clients to reconnect to another node. New connections get 503, running invocations may
   * finish within `timeout`, streams and uploads within `streamTimeout`. Resolves when all connections have
   * ended. Idempotent.
   *
   * @throws {RangeError} if an option is out of range.
   */
  drain(options?: DrainOptions): Promise<void>;
  /**
   * Ends all connections at once, then closes the backplane. Waits at most 1 s for clients to answer the
   * close of their WebSocket. Idempotent; ends a drain early.
   */
  close(): Promise<void>;
  /** @internal */
  readonly [ANSWERER]: Answerer;
}
