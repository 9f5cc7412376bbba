import type { ResolvedBusOptions } from "./bus.ts";
import { inRanges, MAXIMUM } from "./range.ts";

/** The options of groups, users and messages between nodes. Durations are milliseconds. */
export interface RoutingOptions {
  /**
   * The longest group name and user id, in UTF-8 bytes, 1 to 800.
   *
   * @default {256}
   */
  readonly maximumNameBytes?: number;
  /**
   * How long a change of groups may wait for another node to acknowledge it, 1 to 2,147,483,647.
   *
   * @default {5000}
   */
  readonly groupAckTimeout?: number;
  /**
   * How long a client may take to answer when it is asked for a result, 1 to 2,147,483,647.
   *
   * @default {30000}
   */
  readonly clientResultTimeout?: number;
  /**
   * How long joining a group may wait for the bus to confirm the channel of the group, 1 to
   * 2,147,483,647. A join that takes longer fails.
   *
   * @default {5000}
   */
  readonly subscribeTimeout?: number;
  /**
   * How long a channel stays subscribed after its last member has left, 0 to 2,147,483,647. Checked
   * once a second.
   *
   * @default {1000}
   */
  readonly unsubscribeDelay?: number;
  /**
   * How many groups a connection may be in, 1 to 10,000,000. Beyond this limit joining fails.
   *
   * @default {1000}
   */
  readonly maximumGroupsPerConnection?: number;
  /**
   * How many results may be asked of a client and not be answered yet, 1 to 10,000,000. Beyond this limit
   * asking fails.
   *
   * @default {1000}
   */
  readonly maximumPendingResultsPerConnection?: number;
  /**
   * How many changes of groups the calls of a connection may have asked of other nodes that are not
   * acknowledged yet, 1 to 10,000,000. Beyond this limit a change fails.
   *
   * @default {1000}
   */
  readonly maximumGroupCommandsPerConnection?: number;
  /**
   * How many changes of groups this node may have asked of other nodes, for whatever reason, that are not
   * acknowledged yet, 1 to 10,000,000. Beyond this limit a change fails.
   *
   * @default {100000}
   */
  readonly maximumGroupCommands?: number;
}

/** The options of routing with their defaults. */
export type ResolvedRoutingOptions = Required<RoutingOptions>;

/** The options of routing and of the bus, and the largest message. */
export interface SendingOptions extends ResolvedRoutingOptions, ResolvedBusOptions {
  readonly maximumSendMessageSize: number;
}

/** Checks the options of routing and fills in defaults; throws as `resolveOptions`. */
export function resolveRouting(options: RoutingOptions): ResolvedRoutingOptions {
  return inRanges(options, {
    // The other bytes of a channel's 1,024 are for the name of the hub and the words around it.
    maximumNameBytes: [1, 800, 256],
    groupAckTimeout: [1, MAXIMUM, 5000],
    clientResultTimeout: [1, MAXIMUM, 30_000],
    subscribeTimeout: [1, MAXIMUM, 5000],
    unsubscribeDelay: [0, MAXIMUM, 1000],
    maximumGroupsPerConnection: [1, 10_000_000, 1000],
    maximumPendingResultsPerConnection: [1, 10_000_000, 1000],
    maximumGroupCommandsPerConnection: [1, 10_000_000, 1000],
    maximumGroupCommands: [1, 10_000_000, 100_000],
  });
}
