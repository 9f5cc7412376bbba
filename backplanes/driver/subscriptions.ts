import type { BackplaneHandler, BackplaneSubscription } from "../backplane.ts";
import { type BackplaneClosedError, BackplaneUnavailableError } from "../errors.ts";
import type { ChannelBus } from "./channel_bus.ts";
import { Channel, type ChannelOwner, ChannelSubscription } from "./channel.ts";
import { checkChannelName } from "./channel_name.ts";
import { gapSince } from "./moment.ts";
import type { BackplaneLogger } from "./options.ts";
import { RefusedChannels } from "./refused_channels.ts";
import { untilTurnEnd } from "./turn_end.ts";

/** The most channels of one command, and of one turn. */
const COMMAND_CHANNELS = 256;
/** The most bytes of one command: Redis ends a subscriber that an answer of many MiB waits for. */
const COMMAND_BYTES = 512 * 1024;
/** The most bytes that UTF-8 takes for a code unit, and those of an answer beside the name. */
const BYTES_PER_UNIT = 3;
const REPLY_BYTES = 64;
/** A refused command of more channels is divided before its parts are asked for at once. */
const REFUSED_CHANNELS = 64;
/** The first pause before refused channels are asked for again, in milliseconds. */
const SHORTEST_RETRY = 3000;

/**
 * Keeps the bus's subscriptions equal to what handlers want, over any number of reconnects.
 *
 * - **Level-triggered**: each channel has a wanted and a confirmed state; when a command ends, the
 *   channel is looked at again, so the last call wins however calls interleave.
 * - **Lock per channel**: a channel has one command at a time, and waits for no other channel.
 * - **Joined**: channels that are asked for in one turn leave together, in commands of bounded size,
 *   each after the answer to the last. So no number of channels holds up the event loop.
 * - **Refusals**: a refused channel stays wanted and is asked for again.
 */
export class ChannelSubscriptions implements ChannelOwner {
  readonly #bus: ChannelBus;
  readonly #logger: BackplaneLogger;
  readonly #channels = new Map<string, Channel>();
  /** The channels to look at when this turn ends. */
  #dirty = new Set<Channel>();
  /** The channels whose `unsubscribe()` waits for the bus. */
  #leaving = new Set<Channel>();
  readonly #refused: RefusedChannels;
  #connection = 1;
  #online = false;
  #closed: BackplaneClosedError | undefined;

  /** `retryDelay` is the first pause before refused channels are asked for again, in milliseconds. */
  constructor(bus: ChannelBus, logger: BackplaneLogger, retryDelay: number = SHORTEST_RETRY) {
    this.#bus = bus;
    this.#logger = logger;
    this.#refused = new RefusedChannels(logger, retryDelay, (channel) => this.#mark(channel));
  }

  /** The number of the present connection, or of the outage. */
  get connection(): number {
    return this.#connection;
  }

  /** Whether any channel is known: wanted, or not yet given up. */
  get any(): boolean {
    return this.#channels.size > 0;
  }

  /** As {@link Backplane.subscribe}. */
  subscribe(name: string, handler: BackplaneHandler): BackplaneSubscription {
    checkChannelName(name);
    const channel = this.#channels.get(name) ?? new Channel(name);
    const subscription = new ChannelSubscription(channel, handler, this);
    if (this.#closed !== undefined) {
      subscription.end(this.#closed);
      return subscription;
    }
    this.#channels.set(name, channel);
    if (!channel.wanted) this.#mark(channel);
    channel.add(subscription);
    return subscription;
  }

  /** Calls the handlers of the channel `name`; returns whether there are any. */
  dispatch(name: string, payload: Uint8Array): boolean {
    return this.#channels.get(name)?.dispatch(payload, this.#logger) ?? false;
  }

  /**
   * Asks the new connection for every wanted channel; resolves when the bus has confirmed or refused
   * each of them, or when the connection is lost.
   */
  connected(): Promise<void> {
    this.#connection++;
    this.#online = true;
    return this.#update(this.#channels.values());
  }

  /** The connection is lost, and with it every subscription; `connected` asks again for each. */
  disconnected(): void {
    this.#connection++;
    this.#online = false;
    this.#refused.disconnected();
    void this.#left(this.#leaving);
    this.#leaving = new Set();
  }

  /** Detaches every handler and rejects every `confirmed` with `error`. */
  close(error: BackplaneClosedError): void {
    this.#closed = error;
    this.disconnected();
    for (const channel of this.#channels.values()) channel.end(error);
    this.#channels.clear();
  }

  /** See {@link ChannelOwner}. */
  leave(channel: Channel, subscription: ChannelSubscription): Promise<void> {
    channel.remove(subscription);
    if (this.#closed !== undefined || channel.wanted) return Promise.resolve();
    const left = channel.untilLeft();
    if (this.#confirmed(channel) || this.#busy(channel)) {
      this.#leaving.add(channel);
      this.#mark(channel);
    } else this.#drop(channel);
    return left;
  }

  #fullName({ name }: Channel): string {
    return this.#bus.fullName?.(name) ?? name;
  }

  #confirmed(channel: Channel): boolean {
    return channel.confirmedBy === this.#connection;
  }

  #busy(channel: Channel): boolean {
    return channel.busyOn === this.#connection;
  }

  /** The connection of these channels is lost: the bus sends none of them any longer. */
  async #left(channels: Iterable<Channel>): Promise<void> {
    let visited = 0;
    for (const channel of channels) {
      if (channel.wanted) channel.left();
      else if (!this.#confirmed(channel) && !this.#busy(channel)) this.#drop(channel);
      if (++visited % COMMAND_CHANNELS === 0) await untilTurnEnd();
    }
  }

  #drop(channel: Channel): void {
    channel.left();
    this.#leaving.delete(channel);
    this.#refused.delete(channel);
    // A channel of the same name may have been made since.
    if (this.#channels.get(channel.name) === channel) this.#channels.delete(channel.name);
  }

  #mark(channel: Channel): void {
    if (this.#dirty.size === 0) queueMicrotask(() => this.#flush());
    this.#dirty.add(channel);
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    void this.#update(dirty);
  }

  /** Looks at `channels` in parts and gives the commands that each part needs, one part after another. */
  async #update(channels: Iterable<Channel>): Promise<void> {
    const connection = this.#connection;
    const rest = channels[Symbol.iterator]();
    for (let ended = false; !ended && connection === this.#connection;) {
      const joins: Channel[] = [];
      const leaves: Channel[] = [];
      ended = this.#take(rest, joins, leaves);
      const left = leaves.length > 0 ? this.#command("unsubscribe", leaves) : undefined;
      if (joins.length > 0) await this.#command("subscribe", joins);
      if (left !== undefined) await left;
      // Some buses answer at once.
      if (!ended) await untilTurnEnd();
    }
  }

  /** Takes the next part of `rest`; returns whether `rest` has ended. */
  #take(rest: Iterator<Channel>, joins: Channel[], leaves: Channel[]): boolean {
    let bytes = 0;
    for (let visited = 0; visited < COMMAND_CHANNELS && bytes < COMMAND_BYTES; visited++) {
      const { value: channel, done } = rest.next();
      if (done) return true;
      if (this.#busy(channel)) continue;
      const confirmed = this.#confirmed(channel);
      if (channel.wanted === confirmed) this.#answered(channel, confirmed);
      else if (this.#online) {
        channel.busyOn = this.#connection;
        (channel.wanted ? joins : leaves).push(channel);
        bytes += this.#fullName(channel).length * BYTES_PER_UNIT + REPLY_BYTES;
      }
    }
    return false;
  }

  async #command(verb: "subscribe" | "unsubscribe", channels: readonly Channel[]): Promise<void> {
    const connection = this.#connection;
    try {
      await this.#bus[verb](channels.map(({ name }) => name));
    } catch (error) {
      // The channels of a lost connection stay locked until `disconnected` or `connected`.
      if (connection !== this.#connection || error instanceof BackplaneUnavailableError) return;
      return await this.#refusedCommand(verb, channels, error);
    }
    if (connection !== this.#connection) return;
    for (const channel of channels) this.#answered(channel, verb === "subscribe");
    const since = this.#refused.takePermitted();
    if (since !== undefined) this.#bus.missed?.(gapSince(since));
  }

  /** One refused channel refuses its whole command: finds out which. */
  async #refusedCommand(
    verb: "subscribe" | "unsubscribe",
    channels: readonly Channel[],
    error: unknown,
  ): Promise<void> {
    const [channel] = channels;
    if (channel === undefined) return;
    if (channels.length > 1) {
      const middle = Math.ceil(channels.length / 2);
      const first = this.#command(verb, channels.slice(0, middle));
      if (channels.length > REFUSED_CHANNELS) await first;
      await Promise.all([first, this.#command(verb, channels.slice(middle))]);
    } else if (verb === "unsubscribe" || !channel.wanted) {
      // The connection drops a channel that cannot be given up when it ends.
      this.#answered(channel, false);
    } else {
      this.#leaving.delete(channel);
      this.#refused.add(channel, this.#fullName(channel), error, this.#connection);
    }
  }

  /** The bus answered; asks again if its answer is no longer the wanted state. */
  #answered(channel: Channel, confirmed: boolean): void {
    channel.busyOn = 0;
    channel.confirmedBy = confirmed ? this.#connection : 0;
    if (channel.wanted !== confirmed) return this.#mark(channel);
    if (!confirmed) return this.#drop(channel);
    this.#refused.confirmed(channel);
    this.#leaving.delete(channel);
    channel.left();
    channel.settle();
  }
}
