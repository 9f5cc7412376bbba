/**
 * The bus of one process, and the reference for what a driver does: no server, no connection, every
 * promise of the contract. For one node, and for tests of several nodes in one process.
 *
 * ```ts
 * import { MemoryBackplane } from "@hubplane/hubplane/memory";
 *
 * await using one = new MemoryBackplane("news");
 * await using two = new MemoryBackplane("news");
 * const heard = Promise.withResolvers<string>();
 * const subscription = two.subscribe(
 *   "weather",
 *   (payload) => heard.resolve(new TextDecoder().decode(payload)),
 * );
 * await subscription.confirmed;
 * await one.publish("weather", new TextEncoder().encode("sun"));
 * console.assert(await heard.promise === "sun");
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
import { gapSince, type Moment, now } from "./driver/moment.ts";
import {
  type BackplaneOptions,
  checkOptionNames,
  resolveBackplaneOptions,
  SHARED_OPTIONS,
} from "./driver/options.ts";
import { StatusSource } from "./driver/status.ts";
import { ChannelSubscriptions } from "./driver/subscriptions.ts";
import { type Listener, MemoryBus, unavailable, type Wire } from "./memory/bus.ts";
import { BackplaneClosedError } from "./errors.ts";

export { MemoryBus };

/** The buses that have a name, each for as long as a backplane is on it. */
const named = new Map<string, MemoryBus>();

/** Options of {@link MemoryBackplane}. */
export interface MemoryBackplaneOptions extends Pick<BackplaneOptions, "logger"> {
  /**
   * Put before every channel name, so that applications can share a bus without hearing each other.
   * End it in `:`.
   *
   * @default {""}
   */
  readonly prefix?: string;
}

/**
 * A {@link Backplane} in memory.
 *
 * - **Delivery** is never inside the call of `publish`: it happens in a microtask after it.
 * - **Copy**: `publish` copies the payload, so the caller may use its buffer again at once. All
 *   handlers see that one copy.
 * - **Count**: `publish` resolves with the number of other backplanes that listen on the channel.
 * - **Own messages**: a backplane does not hear itself.
 * - **Outage**: only while a test has stopped the {@link MemoryBus}.
 */
export class MemoryBackplane implements Backplane {
  readonly #wire: Wire;
  readonly #prefix: string;
  readonly #status: StatusSource;
  readonly #subscriptions: ChannelSubscriptions;
  readonly #listener: Listener;
  readonly #leave: () => void;
  #outage: Moment | undefined;

  /**
   * Makes a backplane on a bus: the one of that name in this process, the given one, or a private
   * one if the name is empty or absent.
   *
   * @throws {TypeError} naming an option that is not known.
   */
  constructor(bus: string | MemoryBus = "", options: MemoryBackplaneOptions = {}) {
    checkOptionNames("MemoryBackplane", options, { ...SHARED_OPTIONS, prefix: true });
    const resolved = resolveBackplaneOptions(options);
    this.#prefix = options.prefix ?? "";
    const answer = () => Promise.resolve();
    this.#subscriptions = new ChannelSubscriptions(
      { subscribe: answer, unsubscribe: answer },
      resolved.logger,
    );
    this.#listener = {
      receive: (fullName, payload) => this.#receive(fullName, payload),
      lost: (error) => this.#lost(error),
      found: () => void this.#found(),
    };
    const found = typeof bus === "string" ? named.get(bus) ?? new MemoryBus() : bus;
    const wire = this.#wire = found.wire;
    wire.join(this.#listener);
    if (typeof bus === "string" && bus !== "") named.set(bus, found);
    this.#leave = () => {
      wire.leave(this.#listener);
      if (typeof bus === "string" && !wire.used) named.delete(bus);
    };
    this.#status = new StatusSource(
      wire.running ? "open" : "connecting",
      resolved.logger,
      "the memory bus",
    );
    if (wire.running) void this.#subscriptions.connected();
  }

  /** `open` unless its bus is stopped. */
  get status(): BackplaneStatus {
    return this.#status.status;
  }

  /** As {@link Backplane.publish}; resolves with the number of other backplanes that listen. */
  publish(channel: string, payload: Uint8Array): Promise<number> {
    try {
      checkChannelName(channel);
      if (this.status === "closed") throw closed();
      if (!this.#wire.running) throw unavailable(false);
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) =>
      this.#wire.send({
        from: this.#listener,
        fullName: this.#prefix + channel,
        // Not slice(): that of Node's Buffer shares the memory.
        payload: new Uint8Array(payload),
        resolve,
        reject,
      })
    );
  }

  /** As {@link Backplane.subscribe}. */
  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    return this.#subscriptions.subscribe(channel, handler);
  }

  /** As {@link Backplane.onStatus}. */
  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.#status.onStatus(listener);
  }

  /** As {@link Backplane.close}. What was published before is still delivered. */
  close(): Promise<void> {
    if (this.status !== "closed") {
      this.#leave();
      this.#subscriptions.close(closed());
      this.#status.emit({ status: "closed" });
    }
    return Promise.resolve();
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #receive(fullName: string, payload: Uint8Array): boolean {
    if (!fullName.startsWith(this.#prefix)) return false;
    return this.#subscriptions.dispatch(fullName.slice(this.#prefix.length), payload);
  }

  #lost(error: Error): void {
    this.#outage ??= now();
    this.#subscriptions.disconnected();
    const status = this.status === "connecting" ? "connecting" : "reconnecting";
    this.#status.emit({ status, error });
  }

  async #found(): Promise<void> {
    await this.#subscriptions.connected();
    if (!this.#wire.running || this.status === "closed" || this.status === "open") return;
    const since = this.#outage;
    this.#outage = undefined;
    this.#status.emit({ status: "open", ...since && { gap: gapSince(since) } });
  }
}

function closed(): BackplaneClosedError {
  return new BackplaneClosedError("Cannot use the memory backplane: it is closed");
}
