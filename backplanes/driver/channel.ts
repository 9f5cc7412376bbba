import type { BackplaneHandler, BackplaneSubscription } from "../backplane.ts";
import { BackplaneError } from "../errors.ts";
import { type Moment, now } from "./moment.ts";
import type { BackplaneLogger } from "./options.ts";

const NONE: readonly ChannelSubscription[] = [];

/** A refusal by the bus that has not been followed by a confirmation. */
export interface Refusal {
  /** When the bus first refused. */
  readonly since: Moment;
  /** The refusal by the present connection, if there was one. */
  error: BackplaneError | undefined;
  logged: boolean;
}

/** One channel: its handlers, and its state on the bus. A channel is *wanted* while it has a handler. */
export class Channel {
  readonly name: string;
  /** Whether the bus sends the channel here. */
  confirmed = false;
  /** Whether a command for the channel is under way: the lock of this channel. */
  busy = false;
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
        const returned: unknown = subscription.handler(payload);
        // An ignored rejection would end the process.
        if (returned instanceof Promise) {
          returned.catch((error) => this.#handlerFailed(error, logger));
        }
      } catch (error) {
        this.#handlerFailed(error, logger);
      }
    }
    return subscriptions.length > 0;
  }

  #handlerFailed(error: unknown, logger: BackplaneLogger): void {
    logger.error(`Backplane handler of channel ${JSON.stringify(this.name)} failed:`, error);
  }

  /** Settles every promise of `confirmed`; returns whether there was one. */
  settle(error?: BackplaneError): boolean {
    let told = false;
    for (const subscription of this.#subscriptions) told = subscription.settle(error) || told;
    return told;
  }

  /** The connection is lost; the next one may not refuse the channel. */
  disconnected(): void {
    this.confirmed = false;
    this.busy = false;
    this.left();
    if (this.refusal !== undefined) this.refusal.error = undefined;
  }

  /** The bus refused the channel. Logs that once, unless somebody waits for `confirmed`. */
  refused(cause: unknown, fullName: string, logger: BackplaneLogger): void {
    this.busy = false;
    const message = `Cannot subscribe to ${JSON.stringify(fullName)}: the bus refused it`;
    const error = new BackplaneError(message, { cause });
    const refusal = this.refusal ??= { since: now(), error, logged: false };
    refusal.error = error;
    this.left();
    if (this.settle(error) || refusal.logged) return;
    refusal.logged = true;
    logger.error(`${message}. It is asked for again until it is confirmed:`, cause);
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
  readonly #leave: (channel: Channel, subscription: ChannelSubscription) => Promise<void>;
  #error: BackplaneError | undefined;
  /** Made when `confirmed` is read before it can be answered. */
  #waiting: PromiseWithResolvers<void> | undefined;
  #left: Promise<void> | undefined;

  /** `leave` is called once; all subscriptions of a backplane share it. */
  constructor(
    channel: Channel,
    handler: BackplaneHandler,
    leave: (channel: Channel, subscription: ChannelSubscription) => Promise<void>,
  ) {
    this.#channel = channel;
    this.handler = handler;
    this.#leave = leave;
  }

  /** Whether the handler is detached. */
  get ended(): boolean {
    return this.#error !== undefined;
  }

  get confirmed(): Promise<void> {
    const { confirmed, busy, refusal } = this.#channel;
    const error = this.#error ?? refusal?.error;
    // A confirmed channel that is busy is being given up, and will be asked for again.
    if (error === undefined && confirmed && !busy) return Promise.resolve();
    const { promise } = this.#waiting ??= Promise.withResolvers<void>();
    promise.catch(() => {});
    if (error !== undefined) this.settle(error);
    return promise;
  }

  unsubscribe(): Promise<void> {
    if (this.#left === undefined) {
      const name = JSON.stringify(this.#channel.name);
      this.end(new BackplaneError(`Cannot subscribe to ${name}: it was unsubscribed`));
      this.#left = this.#leave(this.#channel, this);
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
    this.#error ??= error;
    this.settle(this.#error);
  }
}
