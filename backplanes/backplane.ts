/**
 * The contract between a hub and the bus that carries its messages to other nodes: bytes on named
 * channels. A backplane knows nothing of hubs, groups or JSON.
 *
 * The guarantees are written where each method is declared. `@hubplane/hubplane/conformance` holds
 * every one of them as a named case, so that a driver of your own can be tried against them.
 *
 * @module
 */

/** Where the connection to the bus stands; one meaning each.
 *
 * - `connecting`: never was connected yet, and keeps trying.
 * - `open`: publishing and every confirmed subscription work.
 * - `reconnecting`: was connected, is away, and keeps trying.
 * - `closed`: for good.
 */
export type BackplaneStatus = "connecting" | "open" | "reconnecting" | "closed";

/** An interval in which messages may have been missed, in epoch milliseconds of this node's clock. */
export interface BackplaneGap {
  /** When the last probe was sent that the bus answered: all that was published before it arrived. */
  readonly since: number;
  /** When every subscription was confirmed again: all that is published from then on arrives. */
  readonly until: number;
}

/** An event for the listeners of {@link Backplane.onStatus}. */
export interface BackplaneStatusEvent {
  /**
   * The status from now on. It may equal the one before when only a gap is reported, and when another one
   * of several buses opens.
   */
  readonly status: BackplaneStatus;
  /** Why, where there is a reason to give. */
  readonly error?: Error;
  /**
   * When the bus is back: what anyone published in this interval may not have arrived here. The
   * only sign of a loss that its sender was not told of.
   */
  readonly gap?: BackplaneGap;
}

/** One handler on one channel, from {@link Backplane.subscribe}. */
export interface BackplaneSubscription extends AsyncDisposable {
  /**
   * Says, as of the moment it is read, when the bus sends the channel here. It resolves once the bus
   * has confirmed the channel: every message published from then on arrives. It resolves at once if
   * the channel is confirmed already, and waits while the bus is away.
   *
   * Reading the property is optional. An ignored rejection never becomes an unhandled one.
   *
   * It rejects
   * - with `BackplaneError` if the bus refuses the channel; see {@link Backplane.subscribe};
   * - with `BackplaneError` after {@link unsubscribe};
   * - with `BackplaneClosedError` if the backplane is closed.
   */
  readonly confirmed: Promise<void>;

  /**
   * Detaches the handler before this returns: the handler is never called again. Resolves when the
   * bus no longer sends the channel here, or at once if other handlers remain. Idempotent. It does not
   * reject while the bus is away, because a lost connection has no subscriptions.
   */
  unsubscribe(): Promise<void>;
}

/** Called with each payload of a channel; the bytes belong to the handler's call and must not be changed. */
export type BackplaneHandler = (payload: Uint8Array) => void;

/**
 * Carries bytes on named channels between nodes.
 *
 * - **Delivery** is at most once. A message can be lost only where that is reported: its publish
 *   rejected, or the {@link BackplaneGap} of a subscriber or of the publisher covers it. A driver with
 *   a connection for each way must notice when published messages no longer reach its subscriptions.
 * - **Order** is kept per channel and publisher; there is none between channels or publishers.
 * - **Channel names** are 1 to 1,024 UTF-8 bytes, otherwise any well-formed string; a name is never
 *   a pattern. Two prefixes on one bus never see each other where neither begins with the other.
 * - **Opening** does not wait for the bus: a new backplane is `connecting` and keeps trying. A first
 *   connection that fails in a way no retry can cure sets `closed` with the error.
 * - **Log**: the first error of an outage, the end of the outage and the error that sets `closed` are
 *   logged, because nobody may listen. A malformed message is logged once a minute at most.
 * - **Time**: intervals are measured on a clock that never jumps. Dates are for people only.
 */
export interface Backplane extends AsyncDisposable {
  /** Where the connection to the bus stands. */
  readonly status: BackplaneStatus;

  /**
   * How long the bus took to answer the driver's last answered probe, in milliseconds; `undefined`
   * before the first answer. Optional: a driver that does not probe its bus has no such member. While the bus
   * is away the value stays.
   */
  readonly probe?: number | undefined;

  /**
   * Publishes `payload` on `channel`. The call hands the message over before it returns, so messages
   * leave in call order, and `payload` is the caller's again when it returns: a driver that needs it for
   * longer copies it.
   *
   * Every failure is a rejection with an `Error`, also a mistake of the caller: the method never
   * throws. A hub treats a driver that throws, or that rejects with another value, as one that rejects.
   *
   * With `counted`, the caller acts on a message that reached nobody. A bus that must do more work to
   * find that out does the work only then. The result is never 0 if a subscriber was reached.
   *
   * @returns once the bus has accepted the message: the number of subscribers it reached, or
   * `undefined` where the bus cannot tell. NATS can tell only of a `counted` message that it reached
   * nobody (0); the memory bus and one Redis server always count; a Redis Cluster and
   * `BroadcastChannel` never do.
   * @throws {RangeError} if the channel name is empty, over 1,024 bytes or not well-formed, or the
   * payload is larger than the bus carries.
   * @throws {BackplaneUnavailableError} at once while the publishing connection is away, when it is
   * lost before the bus answered, or after `publishTimeout` without an answer. The message then
   * arrives at most once. Nothing is queued for later.
   * @throws {BackplaneClosedError} after `close()`.
   */
  publish(channel: string, payload: Uint8Array, counted?: boolean): Promise<number | undefined>;

  /**
   * Wants `channel` from now until `unsubscribe()`, over every outage of any length, and calls
   * `handler` for each message published on it. Returns at once; `confirmed` of the returned
   * subscription says when the bus has confirmed.
   *
   * - **Handlers** are called synchronously, in order, one at a time a channel. A handler that throws,
   *   or that returns a promise that rejects, is logged and harms no other. Nobody awaits the promise. The bytes of a message are shared by all handlers.
   * - **Outages**: the driver asks for every wanted channel again before it says `open`, also for a
   *   channel that was first wanted while the bus was away.
   * - **Own messages**: a bus may hand a node its own messages back; the caller must be able to tell
   *   them apart.
   * - **Refusals**: a channel that the bus refuses stays wanted. The driver asks for it again every few
   *   seconds and at each reconnect; meanwhile `confirmed` rejects. A refusal is logged once if nobody
   *   waits for `confirmed`. When the bus gives in, a gap from the first refusal on is reported.
   * - **Concurrency**: subscribing and unsubscribing of one channel are serialised; the last call wins.
   *
   * After `close()` the returned subscription rejects `confirmed` with `BackplaneClosedError`.
   *
   * @throws {RangeError} if the channel name is empty, over 1,024 bytes or not well-formed.
   */
  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription;

  /**
   * Calls `listener` on each change of status and each gap, until the returned object is disposed. A
   * listener that throws, or that returns a promise that rejects, is logged and harms no other. The
   * loss of the bus is reported before its gap.
   */
  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable;

  /**
   * Ends the connection. Idempotent. After it no handler is called and every operation rejects with
   * `BackplaneClosedError`.
   */
  close(): Promise<void>;
}
