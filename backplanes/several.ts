/**
 * Several backplanes as one, for hubs: what is published goes to all of them, and what any of them
 * carries arrives. For a second bus that stands in for the first, and for a move from one bus to another.
 *
 * `openBackplane([…])` makes one of URLs. The class itself takes drivers, such as two with a `client` of
 * their own:
 *
 * ```ts
 * import { MemoryBackplane } from "@hubplane/hubplane/memory";
 * import { SeveralBackplanes } from "@hubplane/hubplane/several";
 *
 * await using backplane = new SeveralBackplanes([
 *   new MemoryBackplane("one"),
 *   new MemoryBackplane("two"),
 * ]);
 * console.assert(backplane.status === "open");
 * ```
 *
 * @module
 */
import type {
  Backplane,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "./backplane.ts";
import { checkChannelName } from "./driver/channel_name.ts";
import { LimitedWarning } from "./driver/limited_warning.ts";
import { now } from "./driver/moment.ts";
import { type BackplaneOptions, checkOptionNames, SHARED_OPTIONS } from "./driver/options.ts";
import { StatusSource } from "./driver/status.ts";
import { BackplaneClosedError } from "./errors.ts";
import { attempt } from "./several/attempt.ts";
import { Beginning } from "./several/beginning.ts";
import { CommonGaps } from "./several/common_gaps.ts";
import { gapOf, intervalOf } from "./several/intervals.ts";
import { MAXIMUM_BACKPLANES } from "./several/maximum.ts";
import { Publication, type PublicationOwner } from "./several/publication.ts";
import {
  Confirmations,
  SeveralSubscription,
  type SubscriptionOwner,
} from "./several/subscription.ts";

/** Options of {@link SeveralBackplanes}. */
export type SeveralBackplanesOptions = Pick<BackplaneOptions, "logger">;

/**
 * Two to four backplanes as one. It owns them and closes them.
 *
 * - **For hubs**: a payload comes once from each bus, so up to four times, and a copy may come late. Hubs
 *   number what they publish and drop the copies; other users of a backplane must do so themselves.
 * - **Publishing**: a message is handed to every bus. The first that accepts it decides; a bus that is away
 *   is never waited for. If another one fails although it is open, that is logged once a minute at most.
 * - **Status**: `open` while one bus is, `closed` when all are. At the start it is `connecting` until each
 *   bus is open or known to be away, for 5 s at most: other nodes may be on any one of the buses alone. An
 *   event with `open` comes again when another bus opens, because more nodes may be there. Each driver
 *   logs its own outages, so the log tells which bus is away while the status is `open`.
 * - **Order** of one publisher is kept on each bus. While a bus loses messages, another one may bring them
 *   after later ones.
 * - **Gaps** are the times in which no bus was sound here: the overlaps of the gaps of all drivers. An
 *   overlap may begin too early if a bus is still away when it is reported.
 * - **Limit**: a node that has lost the second bus and a node that has lost the first do not hear each
 *   other, and neither reports a gap. Hubs find such holes by their numbers.
 */
export class SeveralBackplanes implements Backplane {
  /** The backplanes, in the order they were given: to look at the status of each. */
  readonly backplanes: readonly Backplane[];
  readonly #status: StatusSource;
  readonly #warning: LimitedWarning;
  readonly #gaps: CommonGaps;
  /** The places of those that were open at their last event. */
  readonly #open: Set<number>;
  readonly #confirmations: Confirmations;
  readonly #owner: SubscriptionOwner & PublicationOwner;
  readonly #beginning: Beginning;
  #closed: BackplaneClosedError | undefined;
  #ended: Promise<void> | undefined;

  /**
   * Joins `backplanes`, which must lead to different buses and belong to nothing else.
   *
   * @throws {TypeError} if there are not 2 to 4 of them, one is given twice, or an option is not known.
   */
  constructor(backplanes: readonly Backplane[], options: SeveralBackplanesOptions = {}) {
    checkOptionNames("SeveralBackplanes", options, SHARED_OPTIONS);
    const { length } = backplanes;
    if (length < 2 || length > MAXIMUM_BACKPLANES) {
      throw new TypeError(`Cannot join backplanes: ${length} are not 2 to ${MAXIMUM_BACKPLANES}`);
    }
    if (new Set(backplanes).size < length) {
      throw new TypeError("Cannot join backplanes: one is given twice");
    }
    this.backplanes = [...backplanes];
    const { logger = console } = options;
    this.#warning = new LimitedWarning("One of several buses did not take a message:", logger);
    const open = backplanes.map(({ status }) => status === "open");
    this.#beginning = new Beginning(backplanes.map(({ status }) => status), () => this.#goOn());
    const isOpen = open.includes(true) && this.#beginning.isOver;
    this.#status = new StatusSource(isOpen ? "open" : "connecting", logger, null);
    this.#gaps = new CommonGaps(open, now().steady);
    this.#open = new Set(open.flatMap((isOpen, index) => isOpen ? [index] : []));
    this.#owner = this.#asOwner();
    this.#confirmations = new Confirmations(this.#owner);
    for (const [index, backplane] of backplanes.entries()) {
      backplane.onStatus((event) => this.#heard(index, event));
    }
  }

  /** `open` while a bus is; see {@link SeveralBackplanes}. */
  get status(): BackplaneStatus {
    return this.#status.status;
  }

  /** As {@link Backplane.probe}: of the bus that answers soonest, of those that are open if any is. */
  get probe(): number | undefined {
    const open = this.backplanes.filter(({ status }) => status === "open");
    const probes = (open.length > 0 ? open : this.backplanes).flatMap(({ probe }) => probe ?? []);
    return probes.length > 0 ? Math.min(...probes) : undefined;
  }

  /**
   * As {@link Backplane.publish}: resolves when the first bus has accepted the message, and rejects if none
   * does. The message may arrive although the promise is rejected, and more than once.
   *
   * A `counted` message resolves with 0 if every bus that is open counts nobody, else with what one of them
   * counts, or with `undefined` if no bus can tell. Without `counted` the result is `undefined`.
   *
   * @throws {BackplaneUnavailableError} if a bus is away or does not answer, and no other bus accepts.
   */
  publish(channel: string, payload: Uint8Array, counted = false): Promise<number | undefined> {
    try {
      checkChannelName(channel);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const { backplanes } = this;
    const publication = new Publication(backplanes.length, counted, this.#owner);
    for (const backplane of backplanes) publication.hand(backplane, channel, payload);
    return publication.outcome;
  }

  /**
   * As {@link Backplane.subscribe}; `handler` is called for each copy of a message. `confirmed` resolves
   * when every bus that is open has confirmed the channel: a bus that opens later has confirmed it before.
   * It rejects as soon as one of them refuses the channel.
   */
  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    checkChannelName(channel);
    const parts: BackplaneSubscription[] = [];
    try {
      for (const backplane of this.backplanes) parts.push(backplane.subscribe(channel, handler));
    } catch (error) {
      for (const part of parts) void part.unsubscribe();
      throw error;
    }
    return new SeveralSubscription(channel, parts, this.#confirmations);
  }

  /** As {@link Backplane.onStatus}. */
  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.#status.onStatus(listener);
  }

  /** Closes every backplane; as {@link Backplane.close}. */
  close(): Promise<void> {
    if (this.#ended === undefined) {
      this.#closed ??= new BackplaneClosedError("Cannot use backplane: it is closed");
      const closing = this.backplanes.map((backplane) => attempt(() => backplane.close()));
      this.#ended = Promise.all(closing).then(() => {});
      this.#beginning.end();
      this.#status.emit({ status: "closed" });
      void this.#confirmations.changed();
    }
    return this.#ended;
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** One of the backplanes has told its status, or a gap. */
  #heard(index: number, event: BackplaneStatusEvent): void {
    if (this.#closed !== undefined) return;
    const { status, error, gap: own } = event;
    const interval = own && intervalOf(own);
    const gaps = this.#gaps.heard(index, status === "open", interval, now().steady).map(gapOf);
    this.#beginning.heard(index, event);
    const next = this.#nextStatus();
    if (next === "closed") {
      const text = error?.message ?? "Cannot use backplane: it is closed";
      this.#closed = new BackplaneClosedError(text, error && { cause: error });
    }
    const [gap, ...others] = gaps;
    const why = next === "open" ? undefined : error;
    const opened = next === "open" && status === "open" && !this.#open.has(index);
    if (status === "open") this.#open.add(index);
    else this.#open.delete(index);
    if (opened || next !== this.#status.status || gap !== undefined || why !== undefined) {
      this.#status.emit({ status: next, ...why && { error: why }, ...gap && { gap } });
    }
    for (const gap of others) this.#status.emit({ status: next, gap });
    void this.#confirmations.changed();
  }

  /** Some buses have not been reached for long. */
  #goOn(): void {
    const status = this.#nextStatus();
    if (status !== this.#status.status) this.#status.emit({ status });
    void this.#confirmations.changed();
  }

  #nextStatus(): BackplaneStatus {
    const all = this.backplanes.map(({ status }) => status);
    if (all.every((status) => status === "closed")) return "closed";
    if (!this.#beginning.isOver) return "connecting";
    if (all.includes("open")) return "open";
    return this.#status.status === "connecting" ? "connecting" : "reconnecting";
  }

  #asOwner(): SubscriptionOwner & PublicationOwner {
    const closed = () => this.#closed;
    return {
      get closed() {
        return closed();
      },
      isOpen: (index) => this.#beginning.isOver && this.backplanes[index]?.status === "open",
      refused: (failures) => {
        for (const { backplane, error } of failures) {
          // A driver logs itself why its bus is away.
          if (backplane.status === "open") this.#warning.log(error);
        }
      },
    };
  }
}
