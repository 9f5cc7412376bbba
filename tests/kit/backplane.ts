import type {
  Backplane,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "../../backplanes/backplane.ts";
import { checkChannelName } from "../../backplanes/driver/channel_name.ts";
import { BackplaneError } from "../../backplanes/errors.ts";
import { MemoryBackplane, MemoryBus } from "../../backplanes/memory.ts";
import { Events } from "./wait.ts";

/** One call of `publish`. */
export interface Published {
  readonly channel: string;
  readonly payload: Uint8Array;
}

/** What the channels begin with on which nodes say something about themselves. */
const OF_NODES = "internal:hubplane:";

/**
 * Writes down what a hub asks of its backplane, and can refuse or delay it. What nodes say about themselves
 * is let through, and written down only if {@link heedsNodes}.
 */
export class RecordingBackplane implements Backplane {
  /** Every publish, refused ones too. */
  readonly published: Published[] = [];
  /** Every subscribe as `+channel` and every unsubscribe as `-channel`, when it was asked for. */
  readonly asked: Events<string> = new Events<string>();
  /** Every channel the bus has confirmed, as it did. */
  readonly confirmed: Events<string> = new Events<string>();
  /** The channel of each publish that the bus has accepted. */
  readonly accepted: Events<string> = new Events<string>();
  /** The channels that are subscribed, or will be when the bus is there. */
  readonly wanted: Set<string> = new Set<string>();
  /** What is subscribed now. */
  readonly channels: Set<string> = new Set<string>();
  /** Why a publish on `channel` is refused, if it is. */
  refusesPublish: (channel: string, payload: Uint8Array) => Error | undefined = () => undefined;
  /** Whether a publish on `channel` is accepted and reaches nobody. */
  swallowsPublish: (channel: string) => boolean = () => false;
  /** Whether a publish tells how many it has reached, as on one Redis server. */
  counts = true;
  /** Awaited before it is said that a publish was accepted; it reaches the others at once. */
  beforeAccepted: (channel: string) => Promise<void> | undefined = () => undefined;
  /** Awaited before the bus is asked for a channel; a rejection refuses the channel. */
  beforeSubscribe: (channel: string) => Promise<void> | undefined = () => undefined;
  /** Whether the channels on which nodes say something about themselves are as all others. */
  heedsNodes = false;
  readonly #inner: Backplane;

  /** Wraps a backplane, or one in memory on `bus`, or on a bus of its own. */
  constructor(bus?: MemoryBus | Backplane) {
    this.#inner = bus === undefined || bus instanceof MemoryBus ? new MemoryBackplane(bus) : bus;
  }

  get status(): BackplaneStatus {
    return this.#inner.status;
  }

  /** The channels of the publishes. */
  get publishedChannels(): string[] {
    return this.published.map(({ channel }) => channel);
  }

  publish(channel: string, payload: Uint8Array, counted = false): Promise<number | undefined> {
    if (this.#passes(channel)) return this.#publish(channel, payload, counted);
    // It is the caller's again when this returns.
    this.published.push({ channel, payload: payload.slice() });
    if (this.swallowsPublish(channel)) return Promise.resolve(undefined);
    const error = this.refusesPublish(channel, payload);
    if (error !== undefined) return Promise.reject(error);
    const accepted = this.#publish(channel, payload, counted);
    accepted.then(() => this.accepted.add(channel), () => {});
    const held = this.beforeAccepted(channel);
    return held === undefined ? accepted : held.then(() => accepted);
  }

  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    if (this.#passes(channel)) return this.#inner.subscribe(channel, handler);
    checkChannelName(channel);
    this.asked.add(`+${channel}`);
    this.wanted.add(channel);
    let inner: BackplaneSubscription | undefined;
    let left = false;
    const ask = async () => {
      await this.beforeSubscribe(channel);
      if (left) throw new BackplaneError(`Cannot subscribe to "${channel}": it was unsubscribed`);
      inner ??= this.#inner.subscribe(channel, handler);
      await inner.confirmed;
      if (left) return;
      this.channels.add(channel);
      this.confirmed.add(channel);
    };
    let asked: Promise<void> | undefined;
    // As a driver does, it asks again for a channel that was refused.
    const confirmed = () => {
      if (asked === undefined) {
        const attempt = asked = ask();
        attempt.catch(() => asked = undefined);
      }
      return asked;
    };
    confirmed();
    const unsubscribe = async () => {
      if (left) return;
      left = true;
      this.asked.add(`-${channel}`);
      this.wanted.delete(channel);
      this.channels.delete(channel);
      await inner?.unsubscribe();
    };
    return {
      get confirmed() {
        return confirmed();
      },
      unsubscribe,
      [Symbol.asyncDispose]: unsubscribe,
    };
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

  #passes(channel: string): boolean {
    return !this.heedsNodes && channel.startsWith(OF_NODES);
  }

  #publish(channel: string, payload: Uint8Array, counted: boolean): Promise<number | undefined> {
    const reached = this.#inner.publish(channel, payload, counted);
    return this.counts ? reached : reached.then(() => undefined);
  }
}
