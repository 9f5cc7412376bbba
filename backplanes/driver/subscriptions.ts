import type { BackplaneGap, BackplaneHandler, BackplaneSubscription } from "../backplane.ts";
import { type BackplaneClosedError, BackplaneUnavailableError } from "../errors.ts";
import { BackOff } from "./back_off.ts";
import { Channel, ChannelSubscription } from "./channel.ts";
import { checkChannelName } from "./channel_name.ts";
import { gapSince } from "./moment.ts";
import type { BackplaneLogger } from "./options.ts";

/** The commands of a driver's connection. */
export interface ChannelBus {
  /**
   * Asks for `channels`; resolves when the bus has confirmed all of them.
   *
   * @throws {BackplaneUnavailableError} when the connection is lost; any other error is a refusal.
   */
  subscribe(channels: readonly string[]): Promise<void>;
  /** Gives `channels` up, likewise. */
  unsubscribe(channels: readonly string[]): Promise<void>;
  /** The name of `channel` on the bus, with its prefix, for texts; a permission must name it so. */
  fullName?(channel: string): string;
  /** Called when the bus confirms a refused channel; `gap` lasted from the first refusal until now. */
  missed?(gap: BackplaneGap): void;
}

/** The most channels of one command. */
const COMMAND_CHANNELS = 1000;
/** The limits of the pause before refused channels are asked for again, in milliseconds. */
const SHORTEST_RETRY = 3000;
const LONGEST_RETRY = 30_000;

/**
 * Keeps the bus's subscriptions equal to what handlers want, over any number of reconnects.
 *
 * - **Level-triggered**: each channel has a wanted and a confirmed state; when a command ends, the
 *   channel is looked at again, so the last call wins however calls interleave.
 * - **Lock per channel**: a channel has one command at a time, and waits for no other channel.
 * - **Joined**: channels that are asked for in one turn leave together, in commands of bounded size.
 * - **Refusals**: a refused channel stays wanted and is asked for again.
 */
export class ChannelSubscriptions {
  readonly #bus: ChannelBus;
  readonly #logger: BackplaneLogger;
  readonly #channels = new Map<string, Channel>();
  /** The channels to look at when this turn ends. */
  readonly #dirty = new Set<string>();
  #connection = 0;
  #online = false;
  readonly #backOff: BackOff;
  #closed: BackplaneClosedError | undefined;

  /** `retryDelay` is the first pause before refused channels are asked for again, in milliseconds. */
  constructor(bus: ChannelBus, logger: BackplaneLogger, retryDelay: number = SHORTEST_RETRY) {
    this.#bus = bus;
    this.#logger = logger;
    this.#backOff = new BackOff(retryDelay, LONGEST_RETRY, () => this.#retry());
  }

  /** Whether any channel is known: wanted, or not yet given up. */
  get any(): boolean {
    return this.#channels.size > 0;
  }

  /** As {@link Backplane.subscribe}. */
  subscribe(name: string, handler: BackplaneHandler): BackplaneSubscription {
    checkChannelName(name);
    const channel = this.#channels.get(name) ?? new Channel(name);
    const subscription = new ChannelSubscription(channel, handler, this.#leave);
    if (this.#closed !== undefined) {
      subscription.end(this.#closed);
      return subscription;
    }
    this.#channels.set(name, channel);
    if (!channel.wanted) this.#mark(name);
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
    const wanted = [...this.#channels.values()];
    for (const channel of wanted) channel.busy = true;
    return this.#commands("subscribe", wanted);
  }

  /** The connection is lost, and with it every subscription; `connected` asks again for each. */
  disconnected(): void {
    this.#connection++;
    this.#online = false;
    this.#backOff.reset();
    for (const channel of this.#channels.values()) {
      channel.disconnected();
      if (!channel.wanted) this.#drop(channel);
    }
  }

  /** Detaches every handler and rejects every `confirmed` with `error`. */
  close(error: BackplaneClosedError): void {
    this.#closed = error;
    this.disconnected();
    for (const channel of this.#channels.values()) channel.end(error);
    this.#channels.clear();
  }

  /** One function for all subscriptions. */
  readonly #leave = (channel: Channel, subscription: ChannelSubscription): Promise<void> => {
    channel.remove(subscription);
    if (this.#closed !== undefined || channel.wanted) return Promise.resolve();
    const left = channel.untilLeft();
    if (channel.confirmed || channel.busy) this.#mark(channel.name);
    else this.#drop(channel);
    return left;
  };

  #drop(channel: Channel): void {
    channel.left();
    this.#channels.delete(channel.name);
  }

  #mark(name: string): void {
    if (this.#dirty.size === 0) queueMicrotask(() => this.#flush());
    this.#dirty.add(name);
  }

  #flush(): void {
    const joins: Channel[] = [];
    const leaves: Channel[] = [];
    const names = [...this.#dirty];
    this.#dirty.clear();
    for (const name of names) {
      const channel = this.#channels.get(name);
      if (channel === undefined || channel.busy) continue;
      if (channel.wanted === channel.confirmed) this.#answered(channel, channel.confirmed);
      else if (this.#online) {
        channel.busy = true;
        (channel.wanted ? joins : leaves).push(channel);
      }
    }
    this.#commands("unsubscribe", leaves);
    this.#commands("subscribe", joins);
  }

  /** Gives a command for each part of `channels`, after the answer to the command before. */
  async #commands(verb: "subscribe" | "unsubscribe", channels: readonly Channel[]): Promise<void> {
    const connection = this.#connection;
    for (let start = 0; start < channels.length; start += COMMAND_CHANNELS) {
      await this.#command(verb, channels.slice(start, start + COMMAND_CHANNELS));
      if (connection !== this.#connection) return;
    }
  }

  async #command(verb: "subscribe" | "unsubscribe", channels: readonly Channel[]): Promise<void> {
    const connection = this.#connection;
    try {
      await this.#bus[verb](channels.map(({ name }) => name));
    } catch (error) {
      // The channels of a lost connection stay locked until `disconnected` or `connected`.
      if (connection !== this.#connection || error instanceof BackplaneUnavailableError) return;
      const [channel, ...others] = channels;
      if (channel === undefined) return;
      if (others.length > 0) {
        // One refused channel refuses its whole command: find out which.
        await Promise.all(channels.map((channel) => this.#command(verb, [channel])));
      } else if (verb === "subscribe") this.#refuse(channel, error);
      // The connection drops a channel that cannot be given up when it ends.
      else this.#answered(channel, false);
      return;
    }
    if (connection !== this.#connection) return;
    for (const channel of channels) this.#answered(channel, verb === "subscribe");
  }

  /** The bus answered; asks again if its answer is no longer the wanted state. */
  #answered(channel: Channel, confirmed: boolean): void {
    channel.busy = false;
    channel.confirmed = confirmed;
    const { refusal } = channel;
    if (confirmed) channel.refusal = undefined;
    if (channel.wanted !== confirmed) return this.#mark(channel.name);
    if (!confirmed) return this.#drop(channel);
    channel.left();
    channel.settle();
    if (refusal === undefined) return;
    // The next pause is the shortest again, also for channels that are still refused.
    this.#backOff.reset();
    if (this.#refused().length > 0) this.#backOff.schedule();
    this.#bus.missed?.(gapSince(refusal.since));
  }

  #refuse(channel: Channel, cause: unknown): void {
    if (!channel.wanted) return this.#drop(channel);
    const { name } = channel;
    channel.refused(cause, this.#bus.fullName?.(name) ?? name, this.#logger);
    this.#backOff.schedule();
  }

  /** Asks again for every refused channel. */
  #retry(): void {
    for (const { name } of this.#refused()) this.#mark(name);
  }

  #refused(): Channel[] {
    return [...this.#channels.values()].filter(({ refusal }) => refusal !== undefined);
  }
}
