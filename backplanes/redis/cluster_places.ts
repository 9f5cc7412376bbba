import type { Redis } from "ioredis";
import type { RedisRole } from "./settings.ts";

/** For how long a server that failed is avoided, in milliseconds: longer than a replica takes to follow it. */
const AVOIDED = 30_000;

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
 * the probes of the data path notice a server that the others no longer know. A cluster goes on listing
 * a server that has died until a replica has taken its place, so a server that failed comes last.
 */
export class ClusterPlaces {
  readonly #places = new Map<RedisRole, Place>();
  /** When each server failed, on the clock that never jumps; the latest failure comes last. */
  readonly #failed = new Map<string, number>();

  /**
   * Chooses one of `masters` at random, but not that of the other connection. If all have failed lately,
   * the one that failed first is tried again.
   */
  choose(
    role: RedisRole,
    masters: readonly Redis[],
    now: number = performance.now(),
  ): Redis | undefined {
    const other = this.#places.get(role === "publisher" ? "subscriber" : "publisher")?.address;
    const others = masters.filter((master) => addressOf(master) !== other);
    const choices = others.length > 0 ? others : masters;
    this.#forgetFailures(now);
    const sound = choices.filter((master) => !this.#failed.has(addressOf(master)));
    const choice = sound.length > 0
      ? sound[Math.floor(Math.random() * sound.length)]
      : this.#failedFirst(choices);
    if (choice !== undefined) this.#places.set(role, { address: addressOf(choice), listed: false });
    return choice;
  }

  /** The connection to the chosen server was lost, or could not be made. */
  failed(role: RedisRole, now: number = performance.now()): void {
    const address = this.#places.get(role)?.address;
    if (address === undefined) return;
    this.#failed.delete(address);
    this.#failed.set(address, now);
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

  #forgetFailures(now: number): void {
    for (const [address, at] of this.#failed) {
      if (now - at < AVOIDED) return;
      this.#failed.delete(address);
    }
  }

  #failedFirst(masters: readonly Redis[]): Redis | undefined {
    for (const address of this.#failed.keys()) {
      const master = masters.find((master) => addressOf(master) === address);
      if (master !== undefined) return master;
    }
    return undefined;
  }
}

function addressOf({ options }: Redis): string {
  return `${options.host},${options.port}`;
}

/** `server` is `host,port,id,…`. */
function hostAndPort(server: string): string {
  return server.split(",", 2).join();
}
