import { inRange, inRanges, MAXIMUM } from "./range.ts";

/** The options of connections. Durations are milliseconds, sizes are bytes. */
export interface ConnectionOptions {
  /**
   * How long a client may take for its handshake, 1 to 2,147,483,647.
   *
   * @default {15000}
   */
  readonly handshakeTimeout?: number;
  /**
   * The pause between two pings to a client, 1 to 2,147,483,647. Clients expect a ping within half of
   * their server timeout (30 s by default). Checked once a second.
   *
   * @default {15000}
   */
  readonly keepAliveInterval?: number;
  /**
   * How long a client may be silent after its first ping, 1 to 2,147,483,647. Checked once a second.
   *
   * @default {30000}
   */
  readonly clientTimeoutInterval?: number;
  /**
   * How long a connection may be without a transport, after the negotiation or after the loss of a
   * transport, and how long the last messages of a client that has gone may take to begin, 1 to
   * 2,147,483,647. Checked once a second.
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
   * The most bytes that a client may send ahead, 1 to 2,147,483,647: invocations that wait, items of
   * uploads that wait, and bytes that are unread because a turn of the event loop has no time for them.
   * Beyond half of this limit the transport is asked to stop reading; beyond this limit the connection is
   * closed and may reconnect. The beginning of a message whose end has not come counts only towards
   * `maximumReceiveMessageSize`.
   *
   * @default {1048576}
   */
  readonly maximumQueuedReceiveBytes?: number;
  /**
   * The largest message to a client including its framing, 1,024 to 2,147,483,647. A larger message is refused
   * with a `RangeError` before any client has it.
   *
   * @default {16777216}
   */
  readonly maximumSendMessageSize?: number;
  /**
   * The most unsent bytes of one client before a message, 1 to 2,147,483,647. Beyond a quarter of this
   * limit streams and awaited sends to the client wait, and so do its invocations; beyond this limit the
   * connection is closed and may reconnect, so that a slow client delays nobody.
   *
   * @default {1048576}
   */
  readonly maximumBufferedBytes?: number;
  /**
   * How many bytes of unacknowledged messages are kept for a client that may come back, 1 to
   * 2,147,483,647. Beyond this limit streams wait and the client has 5 s to acknowledge a message; beyond
   * `maximumBufferedBytes` beside the largest message the connection is closed and may reconnect.
   *
   * @default {100000}
   */
  readonly statefulReconnectBufferSize?: number;
  /**
   * How long a client may take nothing of the bytes that are sent to it, 1 to 2,147,483,647; then its
   * connection ends, as if the client had vanished. Checked once a second. Bytes in buffers of the
   * operating system count as taken, in steps of 64 KiB. Where the platform reports only whole messages,
   * a larger message has this time for each 64 KiB. Also the longest wait of an awaited send.
   *
   * @default {10000}
   */
  readonly transportSendTimeout?: number;
}

/** The options of connections with their defaults. */
export interface ResolvedConnectionOptions extends Required<ConnectionOptions> {
  /** Whether clients see the texts of all errors. */
  readonly detailedErrors: boolean;
}

/** Checks the options of connections and fills in defaults; throws as `resolveOptions`. */
export function resolveConnection(options: ConnectionOptions): Required<ConnectionOptions> {
  const { maximumReceiveMessageSize: size = 32_768, ...numbers } = options;
  return {
    ...inRanges<Omit<ConnectionOptions, "maximumReceiveMessageSize">>(numbers, {
      handshakeTimeout: [1, MAXIMUM, 15_000],
      keepAliveInterval: [1, MAXIMUM, 15_000],
      clientTimeoutInterval: [1, MAXIMUM, 30_000],
      disconnectTimeout: [1, MAXIMUM, 15_000],
      maximumQueuedReceiveBytes: [1, MAXIMUM, 1_048_576],
      maximumSendMessageSize: [1024, MAXIMUM, 16_777_216],
      maximumBufferedBytes: [1, MAXIMUM, 1_048_576],
      statefulReconnectBufferSize: [1, MAXIMUM, 100_000],
      transportSendTimeout: [1, MAXIMUM, 10_000],
    }),
    maximumReceiveMessageSize: size === null
      ? null
      : inRange("maximumReceiveMessageSize", size, 1, MAXIMUM),
  };
}
