import type { Redis } from "ioredis";
import type { RedisRole } from "./settings.ts";

/** The server of a cluster that a connection was made to. */
interface Place {
  readonly address: string;
  /** Whether the cluster has listed the address, which a `natMap` can change. */
  listed: boolean;
}

/**
 * Chooses a server of a cluster for each of the two connections, and notices when a server leaves.
 *
 * The two servers differ where there are two: what is published then passes between servers, so that
 * the probes of the data path notice a server that the others no longer know.
 */
export class ClusterPlaces {
  readonly #places = new Map<RedisRole, Place>();

  /** Chooses one of `masters` at random, but not that of the other connection. */
  choose(role: RedisRole, masters: readonly Redis[]): Redis | undefined {
    const other = this.#places.get(role === "publisher" ? "subscriber" : "publisher")?.address;
    const others = masters.filter((master) => addressOf(master) !== other);
    const choices = others.length > 0 ? others : masters;
    const choice = choices[Math.floor(Math.random() * choices.length)];
    if (choice !== undefined) this.#places.set(role, { address: addressOf(choice), listed: false });
    return choice;
  }

  /** Whether one of the two servers has left the cluster, by the publishing server's CLUSTER SLOTS. */
  left(slots: unknown): boolean {
    if (!Array.isArray(slots)) return false;
    const listed = new Set(
      slots.flatMap(([, , ...servers]) => servers.map(String).map(hostAndPort)),
    );
    let left = false;
    for (const place of this.#places.values()) {
      if (listed.has(place.address)) place.listed = true;
      else left ||= place.listed;
    }
    // A server that was removed from its cluster knows no slots.
    return left || slots.length === 0;
  }
}

function addressOf({ options }: Redis): string {
  return `${options.host},${options.port}`;
}

/** `server` is `host,port,id,…`. */
function hostAndPort(server: string): string {
  return server.split(",", 2).join();
}
