/**
 * Every option of a server, its unit, range and default, validated once.
 *
 * @module
 */

import { inRange, MAXIMUM } from "./range.ts";
import {
  type CorsOptions,
  type LongPollingOptions,
  resolveCors,
  type ResolvedCorsOptions,
  type ResolvedWebSocketOptions,
  resolveLongPolling,
  resolveTransports,
  resolveWebSockets,
  type TransportName,
  type WebSocketOptions,
} from "./transports.ts";

/** Where the server reports what no caller can be told; `console` fits. */
export type Logger = Pick<Console, "debug" | "error" | "info" | "warn">;

/** Options of {@link createHubServer}; all have defaults. Durations are milliseconds, sizes bytes. */
export interface HubServerOptions {
  /**
   * What every path in `hubs` is prefixed with when requests are matched: starts with `/`, has no
   * trailing slash, or is empty.
   *
   * @default {""}
   */
  readonly basePath?: string;
  /**
   * Where the server reports failures, outages and gaps.
   *
   * @default {console}
   */
  readonly logger?: Logger;
  /**
   * Whether clients see the texts of all errors, not only of `HubError`. For development.
   *
   * @default {false}
   */
  readonly detailedErrors?: boolean;
  /**
   * How long a client may take for its handshake, 1 to 2,147,483,647.
   *
   * @default {15000}
   */
  readonly handshakeTimeout?: number;
  /**
   * The pause between two pings to a client, 1 to 2,147,483,647. Clients expect one within half of
   * their server timeout (30 s by default). Looked at once a second.
   *
   * @default {15000}
   */
  readonly keepAliveInterval?: number;
  /**
   * How long a client that has pinged once may be silent, 1 to 2,147,483,647. Looked at once a second.
   *
   * @default {30000}
   */
  readonly clientTimeoutInterval?: number;
  /**
   * How long a connection may be without a transport, after it was negotiated or has lost one, and what
   * a client sent before it left may take to begin, 1 to 2,147,483,647. Looked at once a second.
   *
   * @default {15000}
   */
  readonly disconnectTimeout?: number;
  /**
   * The largest message of a client including its framing, 1 to 2,147,483,647; `null` for any size.
   *
   * @default {32768}
   */
  readonly maximumReceiveMessageSize?: number | null;
  /**
   * What a client may send ahead of what is dispatched, 1 to 2,147,483,647. Beyond it the connection
   * is closed and may reconnect.
   *
   * @default {1048576}
   */
  readonly maximumQueuedReceiveBytes?: number;
  /**
   * What may wait to be sent to one client, 1 to 2,147,483,647. Beyond it the connection is closed and
   * may reconnect, so that a slow client delays nobody.
   *
   * @default {1048576}
   */
  readonly maximumBufferedBytes?: number;
  /**
   * How many invocations of one client run at a time, 1 to 1,000,000. While all are taken nothing
   * more is read from it.
   *
   * @default {1}
   */
  readonly maximumParallelInvocationsPerClient?: number;
  /**
   * How many invocations of one client may be under way without taking part in that count: streams,
   * those with uploads, and those that wait for a client's result, 1 to 1,000,000. Further invocations
   * fail.
   *
   * @default {1000}
   */
  readonly maximumBackgroundInvocationsPerClient?: number;
  /**
   * How many items of one upload stream may wait to be read, 1 to 1,000,000. Beyond it nothing more is
   * read from the client.
   *
   * @default {10}
   */
  readonly streamBufferCapacity?: number;
  /**
   * The longest group name and user id, in UTF-8 bytes, 1 to 800.
   *
   * @default {256}
   */
  readonly maximumNameBytes?: number;
  /**
   * How many bytes of unacknowledged messages are kept for a client that may come back, 1 to
   * 2,147,483,647. Beyond it streams wait and the client has 5 s to acknowledge; beyond
   * `maximumBufferedBytes` the connection is closed and may reconnect.
   *
   * @default {100000}
   */
  readonly statefulReconnectBufferSize?: number;
  /**
   * Whether clients that ask for it may lose their WebSocket and go on with another, within
   * `disconnectTimeout`, without losing a message.
   *
   * @default {false}
   */
  readonly allowStatefulReconnects?: boolean;
  /**
   * Whether a connection is closed, with leave to reconnect, when its user's `expires` has passed.
   * Looked at once a second. A later poll of the same user prolongs it.
   *
   * @default {false}
   */
  readonly closeOnAuthenticationExpiration?: boolean;
  /**
   * How many connections may be negotiated and not yet have a transport, 1 to 10,000,000; further
   * negotiates get 503.
   *
   * @default {100000}
   */
  readonly maximumPendingConnections?: number;
  /**
   * How long a change of groups may wait for another node to acknowledge it, 1 to 2,147,483,647.
   *
   * @default {5000}
   */
  readonly groupAckTimeout?: number;
  /**
   * How long a client may take to answer when its result is asked for, 1 to 2,147,483,647.
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
   * How long a channel stays subscribed after the last member has left, 0 to 2,147,483,647. Looked at
   * once a second.
   *
   * @default {1000}
   */
  readonly unsubscribeDelay?: number;
  /**
   * The lowest negotiate version that is served, 0 or 1.
   *
   * @default {0}
   */
  readonly minimumProtocolVersion?: number;
  /**
   * What clients may connect with; those left out are refused with 404.
   *
   * @default {all three}
   */
  readonly transports?: readonly TransportName[];
  /**
   * How long a client may take nothing of what is sent to it, 1 to 2,147,483,647; then its connection
   * ends, as if it had vanished. Looked at once a second. What the operating system buffers counts as
   * taken, in steps of 64 KiB or of a message that is larger.
   *
   * @default {10000}
   */
  readonly transportSendTimeout?: number;
  /** For WebSockets alone. */
  readonly webSockets?: WebSocketOptions;
  /** For long polling alone. */
  readonly longPolling?: LongPollingOptions;
  /**
   * Which pages of other origins may use the hubs; without it none, unless they skip negotiation.
   *
   * @default {none}
   */
  readonly cors?: CorsOptions;
}

/** The options with their defaults filled in. */
export interface ResolvedOptions
  extends Required<Omit<HubServerOptions, "webSockets" | "longPolling" | "cors">> {
  readonly webSockets: ResolvedWebSocketOptions;
  readonly longPolling: Required<LongPollingOptions>;
  readonly cors: ResolvedCorsOptions | undefined;
}

/** Least, most and default of every number. */
const NUMBERS = {
  handshakeTimeout: [1, MAXIMUM, 15_000],
  keepAliveInterval: [1, MAXIMUM, 15_000],
  clientTimeoutInterval: [1, MAXIMUM, 30_000],
  disconnectTimeout: [1, MAXIMUM, 15_000],
  maximumQueuedReceiveBytes: [1, MAXIMUM, 1_048_576],
  maximumBufferedBytes: [1, MAXIMUM, 1_048_576],
  statefulReconnectBufferSize: [1, MAXIMUM, 100_000],
  maximumParallelInvocationsPerClient: [1, 1_000_000, 1],
  maximumBackgroundInvocationsPerClient: [1, 1_000_000, 1000],
  streamBufferCapacity: [1, 1_000_000, 10],
  // The rest of a channel's 1,024 bytes is for the hub's name and the words around it.
  maximumNameBytes: [1, 800, 256],
  maximumPendingConnections: [1, 10_000_000, 100_000],
  groupAckTimeout: [1, MAXIMUM, 5000],
  clientResultTimeout: [1, MAXIMUM, 30_000],
  subscribeTimeout: [1, MAXIMUM, 5000],
  unsubscribeDelay: [0, MAXIMUM, 1000],
  minimumProtocolVersion: [0, 1, 0],
  transportSendTimeout: [1, MAXIMUM, 10_000],
} as const;

type NumberName = keyof typeof NUMBERS;

/**
 * Checks and completes the options.
 *
 * @throws {RangeError} naming the option, its value and its range.
 * @throws {TypeError} if an option is of the wrong type.
 */
export function resolveOptions(options: HubServerOptions): ResolvedOptions {
  const numbers = {} as Record<NumberName, number>;
  for (const name of Object.keys(NUMBERS) as NumberName[]) {
    const [least, most, otherwise] = NUMBERS[name];
    numbers[name] = inRange(name, options[name] ?? otherwise, least, most);
  }
  const { maximumReceiveMessageSize = 32_768, basePath = "", logger = console } = options;
  if (basePath !== "" && !/^\/.*[^/]$/.test(basePath)) {
    throw new TypeError(
      `Cannot use basePath: ${JSON.stringify(basePath)} does not start with "/" or ends with one`,
    );
  }
  return {
    ...numbers,
    basePath,
    logger,
    detailedErrors: options.detailedErrors ?? false,
    allowStatefulReconnects: options.allowStatefulReconnects ?? false,
    closeOnAuthenticationExpiration: options.closeOnAuthenticationExpiration ?? false,
    maximumReceiveMessageSize: maximumReceiveMessageSize === null
      ? null
      : inRange("maximumReceiveMessageSize", maximumReceiveMessageSize, 1, MAXIMUM),
    transports: resolveTransports(options.transports),
    webSockets: resolveWebSockets(options.webSockets),
    longPolling: resolveLongPolling(options.longPolling),
    cors: resolveCors(options.cors),
  };
}

/** Options of {@link HubServer.drain}. */
export interface DrainOptions {
  /**
   * How long running invocations may take to finish, in milliseconds, 0 to 2,147,483,647.
   *
   * @default {30000}
   */
  readonly timeout?: number;
  /**
   * How many connections are closed at a time, 1 to 2,147,483,647.
   *
   * @default {100}
   */
  readonly batch?: number;
  /**
   * The pause between two batches, in milliseconds, 0 to 2,147,483,647.
   *
   * @default {100}
   */
  readonly interval?: number;
}

/**
 * Checks and completes the options of a drain.
 *
 * @throws {RangeError} naming the option, its value and its range.
 */
export function resolveDrainOptions(options: DrainOptions): Required<DrainOptions> {
  const { timeout = 30_000, batch = 100, interval = 100 } = options;
  return {
    timeout: inRange("timeout", timeout, 0, MAXIMUM),
    batch: inRange("batch", batch, 1, MAXIMUM),
    interval: inRange("interval", interval, 0, MAXIMUM),
  };
}
