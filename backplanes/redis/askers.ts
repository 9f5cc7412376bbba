import type { Cluster, Redis } from "ioredis";

/** A method of ioredis that makes a client. */
type MakeClient = (...options: unknown[]) => Redis;

/** The connector of a client, which ioredis keeps private. */
interface Connector {
  connectToSentinel?: MakeClient;
  /** How long a socket may take to close, in milliseconds. */
  disconnectTimeout: number;
}

function connectorOf(client: Redis): Connector {
  return (client as unknown as { connector: Connector }).connector;
}

/**
 * The clients that ioredis makes by itself, to ask a Sentinel for the master or a node of a cluster for its
 * slots. Whoever ends the client that they ask for has to end them as well: ioredis forgets them until they
 * are answered, or their timeout is over.
 */
export class Askers {
  readonly #clients = new Set<Redis>();

  /** Those that a cluster makes from now on. */
  ofCluster(cluster: Cluster): void {
    const watch = (node: Redis) => this.#watch(node, "duplicate");
    for (const node of cluster.nodes()) watch(node);
    cluster.on("+node", watch);
  }

  /** Those that a client of a Sentinel makes from now on; others make none. */
  ofClient(client: Redis): void {
    const connector = connectorOf(client);
    if (connector.connectToSentinel !== undefined) this.#watch(connector, "connectToSentinel");
  }

  /** A client that was made in the same way for another purpose. */
  release(client: Redis): void {
    this.#clients.delete(client);
  }

  /** Ends them; resolves when all have ended. */
  async end(destroy: (client: Redis) => Promise<void>): Promise<void> {
    await Promise.all(Array.from(this.#clients, destroy));
  }

  #watch<K extends string>(maker: { [key in K]?: unknown }, method: K): void {
    const make = maker[method] as MakeClient;
    const watched: MakeClient = (...options) => {
      const client = make.apply(maker, options);
      // When the socket has closed by itself, ioredis leaves a timer of this length behind.
      connectorOf(client).disconnectTimeout = 1;
      this.#clients.add(client);
      client.once("end", () => this.#clients.delete(client));
      return client;
    };
    Object.assign(maker, { [method]: watched });
  }
}
