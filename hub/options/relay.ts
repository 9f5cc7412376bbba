import { inRanges, MAXIMUM } from "./range.ts";

/** The options of requests for connections that are on other nodes. Durations are milliseconds. */
export interface RelayOptions {
  /**
   * How long a request for a connection of another node is held until that node has taken the request over, 1
   * to 2,147,483,647: while the bus is away, or nobody can tell where the connection is. Then the answer is 503.
   *
   * @default {10000}
   */
  readonly relayTimeout?: number;
  /**
   * How many requests this node holds at a time for connections of other nodes, 1 to 1,000,000, and 100 of one
   * user at most, or for one connection of an anonymous client; further requests get 503. Requests that another
   * node has taken over do not count.
   *
   * @default {1000}
   */
  readonly maximumRelays?: number;
}

/** The options of relays with their defaults. */
export type ResolvedRelayOptions = Required<RelayOptions>;

/** Checks the options of relays and fills in defaults; throws as `resolveOptions`. */
export function resolveRelay(options: RelayOptions): ResolvedRelayOptions {
  return inRanges(options, {
    relayTimeout: [1, MAXIMUM, 10_000],
    maximumRelays: [1, 1_000_000, 1000],
  });
}
