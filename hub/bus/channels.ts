import { BackplaneUnavailableError } from "../../backplanes/errors.ts";
import { Deadlines } from "../scheduling/deadlines.ts";
import { Sweep } from "../scheduling/sweep.ts";
import { Channel, type ChannelRules } from "./channel.ts";
import type { HeardChannel } from "./heard_channel.ts";
import type { NodeContext } from "./node_context.ts";
import { isAway } from "./publish_outcomes.ts";
import type { Recipient } from "./recipient.ts";

/** The options that {@link Channels} reads, in milliseconds. */
export interface ChannelsOptions {
  readonly subscribeTimeout: number;
  readonly unsubscribeDelay: number;
}

/** The parts of a node that {@link Channels} needs. */
export type ChannelsContext = Pick<
  NodeContext<ChannelsOptions>,
  "backplane" | "clock" | "limitedLog" | "options" | "scheduler"
>;

/** What becomes of channels and their messages. */
export interface ChannelListener {
  /** The bus is asked for a channel. */
  requested(channel: HeardChannel): void;
  /** The bus has confirmed a channel. */
  confirmed(channel: HeardChannel): void;
  /** A channel is given up. */
  closed(channel: HeardChannel): void;
  /** A message has come. */
  received(payload: Uint8Array, channel: HeardChannel): void;
}

const NOBODY: readonly never[] = [];

/**
 * The channels of this node, while they have members: the first subscribes, the last gives up.
 *
 * - **Delay**: a channel without members is given up after `unsubscribeDelay`; a channel that has a
 *   member again before then never left the bus.
 * - **Roll-back**: a channel that the bus does not confirm in time, or refuses, is given up, and everybody
 *   who waits for it is told. A permanent channel stays wanted.
 */
export class Channels implements Iterable<Channel> {
  readonly #context: ChannelsContext;
  readonly #listener: ChannelListener;
  readonly #channels = new Map<string, Channel>();
  /** The channels without members, and when the last member left; the oldest first. */
  readonly #withoutMembers = new Map<Channel, number>();
  readonly #unconfirmed: Deadlines<Channel>;
  readonly #givingUp: Sweep<Channel>;

  constructor(
    context: ChannelsContext,
    listener: ChannelListener,
  ) {
    this.#context = context;
    this.#listener = listener;
    const { clock, options } = context;
    this.#unconfirmed = new Deadlines(clock, options.subscribeTimeout, (channel) => {
      this.#settle(channel, unconfirmed(channel, options.subscribeTimeout));
    });
    const due = { [Symbol.iterator]: () => this.#due() };
    this.#givingUp = new Sweep(context, due, (channel) => this.#drop(channel));
  }

  /** Makes `recipient` a member; messages of this node reach it at once. */
  join(name: string, recipient: Recipient, rules: ChannelRules): Channel {
    const channel = this.#channels.get(name) ?? this.#open(name, rules);
    channel.audience.add(recipient);
    this.#withoutMembers.delete(channel);
    return channel;
  }

  /** Ends the membership of `recipient` at once. */
  leave(channel: Channel, recipient: Recipient): void {
    if (!channel.audience.delete(recipient) || channel.audience.size > 0) return;
    if (this.#channels.get(channel.name) !== channel) return;
    this.#withoutMembers.set(channel, this.#context.clock.now());
  }

  /** The channel of that name, if it is subscribed. */
  get(name: string): Channel | undefined {
    return this.#channels.get(name);
  }

  /** All channels, also those that the bus has not confirmed. */
  [Symbol.iterator](): Iterator<Channel> {
    return this.#channels.values();
  }

  /** The members of a channel on this node. */
  audience(name: string): Iterable<Recipient> {
    return this.#channels.get(name)?.audience ?? NOBODY;
  }

  /** Gives up channels that have had no member for long enough. Called by the heartbeat. */
  sweep(): void {
    this.#givingUp.begin();
  }

  /** Stops waiting for confirmations. */
  close(): void {
    this.#unconfirmed.clear();
  }

  *#due(): Generator<Channel, void> {
    const { clock, options } = this.#context;
    const due = clock.now() - options.unsubscribeDelay;
    for (const [channel, since] of this.#withoutMembers) {
      if (since > due) return;
      // A join that waits for the confirmation resolves when it comes, although the member has left.
      if (channel.joining === undefined) yield channel;
    }
  }

  #open(name: string, rules: ChannelRules): Channel {
    const channel = new Channel(name, rules);
    // This throws if the name cannot be one of a channel: then nothing is left behind.
    const subscription = this.#context.backplane.subscribe(
      name,
      (payload) => this.#listener.received(payload, channel),
    );
    this.#channels.set(name, channel);
    this.#listener.requested(channel);
    channel.subscribed(subscription);
    this.#unconfirmed.begin(channel);
    subscription.confirmed.then(
      () => this.#settle(channel),
      (error) => this.#settle(channel, error),
    );
    return channel;
  }

  #settle(channel: Channel, error?: unknown): void {
    if (error === undefined && this.#channels.get(channel.name) === channel) {
      this.#listener.confirmed(channel);
    }
    if (channel.joining === undefined) return;
    this.#unconfirmed.end(channel);
    if (error !== undefined && !channel.rules.permanent) {
      // A member that joins from now on begins anew, with another channel.
      this.#drop(channel);
    } else if (error !== undefined && !isAway(error)) {
      const name = JSON.stringify(channel.name);
      const text = `Messages on ${name} do not arrive here, the bus refuses it:`;
      this.#context.limitedLog.log("error", "refused channel", text, error);
    }
    channel.settle(error);
  }

  #drop(channel: Channel): void {
    this.#withoutMembers.delete(channel);
    this.#channels.delete(channel.name);
    this.#listener.closed(channel);
    // A channel that the bus lost is no longer subscribed: only a driver with a mistake rejects.
    const { limitedLog } = this.#context;
    const text = "Cannot unsubscribe from a channel:";
    attempt(() => channel.subscription?.unsubscribe()).catch((error) => {
      limitedLog.log("error", text, text, error);
    });
  }
}

/** Calls a driver, which may have a mistake; whatever it throws is a rejection. */
async function attempt(call: () => unknown): Promise<void> {
  await call();
}

function unconfirmed({ name }: Channel, timeout: number): BackplaneUnavailableError {
  return new BackplaneUnavailableError(
    `Cannot subscribe to ${JSON.stringify(name)}: not confirmed within ${timeout} ms`,
  );
}
