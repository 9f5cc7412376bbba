import type { BackplaneHandler, BackplaneSubscription } from "../backplane.ts";
import type { BackplaneLogger } from "./options.ts";
import { checkChannelName } from "./channel_name.ts";
import { type BackplaneClosedError, BackplaneError, BackplaneUnavailableError } from "../errors.ts";
import { type Attached, ChannelHandlers } from "./handlers.ts";
import { Patience } from "./patience.ts";
import { Subscription } from "./subscription.ts";

/**
 * What a driver's connection can do with channels. Both reject with `BackplaneUnavailableError` when
 * the connection is lost, and with anything else when the bus refuses.
 */
export interface ChannelBus {
  /** Asks for `channels`; resolves when the bus has confirmed all of them. */
  subscribe(channels: readonly string[]): Promise<void>;
  /** Gives `channels` up; resolves when the bus has confirmed all of them. */
  unsubscribe(channels: readonly string[]): Promise<void>;
}

/** The most channels asked for in one command when everything is subscribed again. */
const RESUBSCRIBE_BATCH = 1000;

const NOBODY: readonly never[] = [];

interface Waiter {
  readonly name: string;
  readonly channel: Channel;
  readonly attached: Attached;
  readonly subscription: Subscription;
  resolve(subscription: Subscription): void;
  reject(error: Error): void;
}

/** What is known of one channel on the bus. It is *wanted* while it has a handler. */
interface Channel {
  /** The bus sends it here. */
  confirmed: boolean;
  /** A command for it is under way: the lock of this channel. */
  busy: boolean;
  /** Replaced and never changed: nearly all channels have none, and share one empty list. */
  joining: readonly Waiter[];
  leaving: readonly (() => void)[];
}

/**
 * Keeps the bus's subscriptions equal to what handlers want, over any number of reconnects.
 *
 * - **Level-triggered**: each channel has a wanted and a confirmed state; when a command ends, the
 *   channel is looked at again, so the last call wins however calls interleave.
 * - **Lock per channel**: never two commands of one channel at once, never one that waits for another channel.
 * - **Batched**: what is asked for in one turn leaves as one command.
 */
export class ChannelSubscriptions {
  readonly handlers: ChannelHandlers;
  readonly #bus: ChannelBus;
  readonly #patience: Patience<Waiter>;
  readonly #channels = new Map<string, Channel>();
  readonly #dirty = new Set<string>();
  #flushing = false;
  #connection = 0;
  #online = false;
  #closed: Error | undefined;

  constructor(
    bus: ChannelBus,
    options: {
      readonly subscribeTimeout: number;
      readonly logger: BackplaneLogger;
    },
  ) {
    this.#bus = bus;
    const { subscribeTimeout } = options;
    this.#patience = new Patience(subscribeTimeout, (waiter) => {
      const name = JSON.stringify(waiter.name);
      const text = `Cannot subscribe to ${name}: not confirmed within ${subscribeTimeout} ms`;
      this.#withdraw(waiter, new BackplaneUnavailableError(text));
    });
    this.handlers = new ChannelHandlers(options.logger);
  }

  /** As {@link Backplane.subscribe}. */
  subscribe(channel: string, handler: BackplaneHandler): Promise<BackplaneSubscription> {
    try {
      checkChannelName(channel);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const attached = this.handlers.attach(channel, handler);
    const state = this.#channel(channel);
    const subscription = new Subscription(channel, attached, this.#leave);
    if (state.confirmed && !state.busy) return Promise.resolve(subscription);
    return this.#confirmed(channel, state, attached, subscription);
  }

  /**
   * Asks the new connection for every wanted channel; resolves when all are confirmed. A channel that
   * the bus refuses is withdrawn from whoever still waits for it.
   *
   * @throws if the connection is lost, or with the refusal of a channel that had been confirmed before:
   * the connection is then of no use.
   */
  async connected(): Promise<void> {
    const connection = ++this.#connection;
    this.#online = true;
    const wanted: string[] = [];
    for (const [name, state] of this.#channels) {
      state.confirmed = false;
      state.busy = this.handlers.has(name);
      if (state.busy) wanted.push(name);
      else this.#left(name, state);
    }
    for (let start = 0; start < wanted.length; start += RESUBSCRIBE_BATCH) {
      const batch = wanted.slice(start, start + RESUBSCRIBE_BATCH);
      const error = await this.#command(batch, true);
      if (connection !== this.#connection) return;
      if (error !== undefined) throw error;
    }
  }

  /** The connection is gone, and with it every subscription; they are asked for again by `connected`. */
  disconnected(): void {
    this.#connection++;
    this.#online = false;
    for (const [name, state] of this.#channels) {
      state.confirmed = false;
      state.busy = false;
      if (!this.handlers.has(name)) this.#left(name, state);
    }
  }

  /** Silences every handler and rejects whoever waits with `error`. */
  close(error: BackplaneClosedError): void {
    this.#closed = error;
    this.disconnected();
    for (const [name, state] of this.#channels) {
      for (const waiter of state.joining) this.#settle(waiter, error);
      this.#left(name, state);
    }
    this.#patience.close();
    this.handlers.clear();
  }

  #channel(name: string): Channel {
    let state = this.#channels.get(name);
    if (state === undefined) {
      state = {
        confirmed: false,
        busy: false,
        joining: NOBODY,
        leaving: NOBODY,
      };
      this.#channels.set(name, state);
    }
    return state;
  }

  #confirmed(
    name: string,
    channel: Channel,
    attached: Attached,
    subscription: Subscription,
  ): Promise<Subscription> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { name, channel, attached, subscription, resolve, reject };
      channel.joining = channel.joining.concat(waiter);
      this.#patience.begin(waiter);
      this.#mark(name);
    });
  }

  #settle(waiter: Waiter, error?: Error): void {
    const { channel } = waiter;
    if (!channel.joining.includes(waiter)) return;
    channel.joining = channel.joining.length === 1
      ? NOBODY
      : channel.joining.filter((other) => other !== waiter);
    this.#patience.end(waiter);
    if (error === undefined) waiter.resolve(waiter.subscription);
    else waiter.reject(error);
  }

  #withdraw(waiter: Waiter, error: Error): void {
    const { name, attached } = waiter;
    if (this.handlers.detach(name, attached)) this.#mark(name);
    this.#settle(waiter, error);
  }

  /** A function of its own: every subscription has it. */
  readonly #leave = async (name: string, attached: Attached): Promise<void> => {
    if (!this.handlers.detach(name, attached)) return;
    const state = this.#channels.get(name);
    if (state === undefined) return;
    if (!state.confirmed && !state.busy) return this.#left(name, state);
    await new Promise<void>((resolve) => {
      state.leaving = [...state.leaving, resolve];
      this.#mark(name);
    });
  };

  #left(name: string, state: Channel): void {
    for (const resolve of state.leaving) resolve();
    state.leaving = NOBODY;
    // Whoever joined meanwhile still needs the entry.
    if (state.joining.length === 0 && !this.handlers.has(name)) {
      this.#channels.delete(name);
    }
  }

  #mark(name: string): void {
    this.#dirty.add(name);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const joins: string[] = [];
    const leaves: string[] = [];
    for (const name of this.#dirty) {
      const state = this.#channels.get(name);
      if (state === undefined || state.busy) continue;
      const wanted = this.handlers.has(name);
      if (wanted === state.confirmed) {
        if (wanted) this.#confirm(name, true);
        else this.#left(name, state);
      } else if (this.#online) {
        state.busy = true;
        (wanted ? joins : leaves).push(name);
      }
    }
    this.#dirty.clear();
    if (leaves.length > 0) this.#command(leaves, false);
    if (joins.length > 0) this.#command(joins, true);
  }

  /** Gives the error after which a channel that was promised is not there, if there is one. */
  async #command(names: readonly string[], join: boolean): Promise<unknown> {
    const connection = this.#connection;
    try {
      await (join ? this.#bus.subscribe(names) : this.#bus.unsubscribe(names));
    } catch (error) {
      if (connection !== this.#connection) return;
      // The channels stay locked until `disconnected` or `connected` looks at them anew.
      if (error instanceof BackplaneUnavailableError) return error;
      const [name, ...others] = names;
      if (name === undefined) return;
      if (others.length === 0) return this.#refused(name, error) ? error : undefined;
      // One refused channel refuses its whole command: find out which.
      const errors = await Promise.all(names.map((name) => this.#command([name], join)));
      return errors.find((error) => error !== undefined);
    }
    if (connection !== this.#connection) return;
    for (const name of names) this.#confirm(name, join);
  }

  /** The bus answered for `name`; looks whether that is still what is wanted. */
  #confirm(name: string, joined: boolean): void {
    const state = this.#channels.get(name);
    if (state === undefined) return;
    state.busy = false;
    state.confirmed = joined;
    if (this.handlers.has(name) !== joined) return this.#mark(name);
    for (const resolve of state.leaving) resolve();
    state.leaving = NOBODY;
    if (!joined) return this.#left(name, state);
    for (const waiter of state.joining) this.#settle(waiter);
  }

  /** The bus refused `name`; says whether handlers remain that were promised it. */
  #refused(name: string, cause: unknown): boolean {
    const state = this.#channels.get(name);
    if (state === undefined) return false;
    state.busy = false;
    const message = `Cannot subscribe to ${JSON.stringify(name)}: the bus refused it`;
    for (const waiter of state.joining) {
      this.#withdraw(waiter, new BackplaneError(message, { cause }));
    }
    // A refused leave: nothing more can be done, the connection will drop the channel when it ends.
    if (this.handlers.has(name)) return true;
    state.confirmed = false;
    this.#left(name, state);
    return false;
  }
}
