import type { BackplaneHandler, BackplaneSubscription } from "../backplane.ts";
import { BackplaneError } from "../errors.ts";
import { type Moment, now } from "./moment.ts";
import type { BackplaneLogger } from "./options.ts";

const NONE: readonly ChannelSubscription[] = [];

/** A refusal by the bus that has not been followed by a confirmation. */
export interface Refusal {
  /** When the bus first refused. */
  readonly since: Moment;
  error: BackplaneError;
  /** The number of the connection that refused last. */
  by: number;
  logged: boolean;
}

/** The parts of the owner of all channels that each subscription uses. */
export interface ChannelOwner {
  /** The number of the present connection. */
  readonly connection: number;
  /** Called once for each subscription. */
  leave(channel: Channel, subscription: ChannelSubscription): Promise<void>;
}

/**
 * One channel: its handlers, and its state on the bus. A channel is *wanted* while it has a handler.
 *
 * The state belongs to a connection, so that the loss of the connection changes no channel.
 */
export class Channel {
  readonly name: string;
  /** The number of the connection that confirmed the channel: the bus sends it on that connection. */
  confirmedBy = 0;
  /** The number of the connection with a command for the channel under way: the lock of this channel. */
  busyOn = 0;
  refusal: Refusal | undefined;
  /** Replaced and never changed, so that a handler may subscribe or leave while a message is dispatched. */
  #subscriptions: readonly ChannelSubscription[] = NONE;
  #leaving: PromiseWithResolvers<void> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get wanted(): boolean {
    return this.#subscriptions.length > 0;
  }

  add(subscription: ChannelSubscription): void {
    // Unlike a spread, concat() leaves no spare room behind: nearly every list has one entry for good.
    this.#subscriptions = this.#subscriptions.concat(subscription);
  }

  remove(subscription: ChannelSubscription): void {
    this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription);
  }

  /**
   * Calls every handler in the order of subscribing; returns whether there are any. A handler that
   * throws harms no other.
   */
  dispatch(payload: Uint8Array, logger: BackplaneLogger): boolean {
    const subscriptions = this.#subscriptions;
    for (const subscription of subscriptions) {
      // A handler called before this one may have detached it.
      if (subscription.ended) continue;
      try {
        // An `async` function is a handler to the compiler, and its rejection must not end the process.
        const returned: unknown = subscription.handler(payload);
        if (returned instanceof Promise) returned.catch((error) => this.#failed(error, logger));
      } catch (error) {
        this.#failed(error, logger);
      }
    }
    return subscriptions.length > 0;
  }

  #failed(error: unknown, logger: BackplaneLogger): void {
    logger.error(`Backplane handler of channel ${JSON.stringify(this.name)} failed:`, error);
  }

  /** Settles every promise of `confirmed`; returns whether there was one. */
  settle(error?: BackplaneError): boolean {
    let told = false;
    for (const subscription of this.#subscriptions) told = subscription.settle(error) || told;
    return told;
  }

  /** The bus refused the channel on `connection`; returns whether somebody waits for `confirmed`. */
  refused(cause: unknown, fullName: string, connection: number): boolean {
    this.busyOn = 0;
    const message = `Cannot subscribe to ${JSON.stringify(fullName)}: the bus refused it`;
    const error = new BackplaneError(message, { cause });
    const refusal = this.refusal ??= { since: now(), error, by: connection, logged: false };
    refusal.error = error;
    refusal.by = connection;
    this.left();
    return this.settle(error);
  }

  /** Ends every subscription with `error`. */
  end(error: BackplaneError): void {
    for (const subscription of this.#subscriptions) subscription.end(error);
    this.#subscriptions = NONE;
    this.left();
  }

  /** Resolves at the next {@link left}. */
  untilLeft(): Promise<void> {
    return (this.#leaving ??= Promise.withResolvers<void>()).promise;
  }

  /** The bus no longer sends the channel for a detached handler. */
  left(): void {
    this.#leaving?.resolve();
    this.#leaving = undefined;
  }
}

/** One handler on one channel. A hub has one for every connection, user and group. */
export class ChannelSubscription implements BackplaneSubscription {
  readonly handler: BackplaneHandler;
  readonly #channel: Channel;
  readonly #owner: ChannelOwner;
  /** Why the handler is detached. */
  #ended: BackplaneError | "left" | undefined;
  /** Made when `confirmed` is read before it can be answered. */
  #waiting: PromiseWithResolvers<void> | undefined;
  #left: Promise<void> | undefined;

  constructor(channel: Channel, handler: BackplaneHandler, owner: ChannelOwner) {
    this.#channel = channel;
    this.handler = handler;
    this.#owner = owner;
  }

  /** Whether the handler is detached. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  get confirmed(): Promise<void> {
    const { confirmedBy, busyOn, refusal } = this.#channel;
    const { connection } = this.#owner;
    const error = this.#error ?? (refusal?.by === connection ? refusal.error : undefined);
    // A confirmed channel that is busy is being given up, and will be asked for again.
    if (error === undefined && confirmedBy === connection && busyOn !== connection) {
      return Promise.resolve();
    }
    const { promise } = this.#waiting ??= Promise.withResolvers<void>();
    promise.catch(() => {});
    if (error !== undefined) this.settle(error);
    return promise;
  }

  unsubscribe(): Promise<void> {
    if (this.#left === undefined) {
      this.#ended ??= "left";
      if (this.#waiting !== undefined) this.settle(this.#error);
      this.#left = this.#owner.leave(this.#channel, this);
    }
    return this.#left;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe();
  }

  /** Settles the promise of `confirmed`; returns whether there was one. */
  settle(error?: BackplaneError): boolean {
    const waiting = this.#waiting;
    if (waiting === undefined) return false;
    this.#waiting = undefined;
    if (error === undefined) waiting.resolve();
    else waiting.reject(error);
    return true;
  }

  /** Detaches the handler for good. */
  end(error: BackplaneError): void {
    this.#ended ??= error;
    this.settle(this.#error);
  }

  /** Made when somebody asks: an error takes much longer than to leave a channel. */
  get #error(): BackplaneError | undefined {
    if (this.#ended !== "left") return this.#ended;
    const name = JSON.stringify(this.#channel.name);
    return this.#ended = new BackplaneError(`Cannot subscribe to ${name}: it was unsubscribed`);
  }
}
