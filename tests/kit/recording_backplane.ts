import type {
  Backplane,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "../../backplanes/backplane.ts";
import { BackplaneError } from "../../backplanes/errors.ts";
import { MemoryBackplane, MemoryBus } from "../../backplanes/memory.ts";
import { Arrivals } from "./arrivals.ts";

/** One call of `publish`. */
export interface Published {
  readonly channel: string;
  readonly payload: Uint8Array;
}

/** Writes down what a hub asks of its backplane, and can refuse or delay it. */
export class RecordingBackplane implements Backplane {
  /** Every publish, refused ones too. */
  readonly published: Published[] = [];
  /** Every subscribe as `+channel` and every unsubscribe as `-channel`, when it was asked for. */
  readonly asked: Arrivals<string> = new Arrivals<string>();
  /** Every channel the bus has confirmed, as it did. */
  readonly confirmed: Arrivals<string> = new Arrivals<string>();
  /** What is subscribed now. */
  readonly channels: Set<string> = new Set<string>();
  /** Why a publish on `channel` is refused, if it is. */
  refusesPublish: (channel: string) => Error | undefined = () => undefined;
  /** Whether a publish on `channel` is accepted and reaches nobody. */
  swallowsPublish: (channel: string) => boolean = () => false;
  /** Awaited before it is said that a publish was accepted; it reaches the others at once. */
  beforeAccepted: (channel: string) => Promise<void> | undefined = () => undefined;
  /** Awaited before a subscribe is handed on; a rejection refuses it. */
  beforeSubscribe: (channel: string) => Promise<void> | undefined = () => undefined;
  readonly #inner: Backplane;

  /** Wraps a backplane, or one in memory on `bus`, or on a bus of its own. */
  constructor(bus?: MemoryBus | Backplane) {
    const inMemory = bus === undefined || bus instanceof MemoryBus;
    this.#inner = inMemory ? new MemoryBackplane(bus) : bus;
  }

  get status(): BackplaneStatus {
    return this.#inner.status;
  }

  /** The channels of the publishes. */
  get publishedChannels(): string[] {
    return this.published.map(({ channel }) => channel);
  }

  publish(channel: string, payload: Uint8Array): Promise<number | undefined> {
    // It is the caller's again when this returns.
    this.published.push({ channel, payload: payload.slice() });
    if (this.swallowsPublish(channel)) return Promise.resolve(undefined);
    const error = this.refusesPublish(channel);
    if (error !== undefined) return Promise.reject(error);
    const accepted = this.#inner.publish(channel, payload);
    const held = this.beforeAccepted(channel);
    return held === undefined ? accepted : held.then(() => accepted);
  }

  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    this.asked.add(`+${channel}`);
    let inner: BackplaneSubscription | undefined;
    let left = false;
    const confirmed = (async () => {
      await this.beforeSubscribe(channel);
      if (left) throw new BackplaneError(`Cannot subscribe to ${channel}: it was unsubscribed`);
      inner = this.#inner.subscribe(channel, handler);
      await inner.confirmed;
      this.channels.add(channel);
      this.confirmed.add(channel);
    })();
    confirmed.catch(() => {});
    const unsubscribe = () => {
      if (!left) this.asked.add(`-${channel}`);
      left = true;
      this.channels.delete(channel);
      return inner?.unsubscribe() ?? Promise.resolve();
    };
    return { confirmed, unsubscribe, [Symbol.asyncDispose]: unsubscribe };
  }

  /** How often `channel` was asked for. */
  subscribes(channel: string): number {
    return this.asked.all.filter((call) => call === `+${channel}`).length;
  }

  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.#inner.onStatus(listener);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
