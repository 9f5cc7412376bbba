import type { BackplaneSubscription } from "../../backplanes/backplane.ts";
import type { HubChannels } from "./channel_names.ts";
import { Channel } from "./channel.ts";
import { Channels, type ChannelsOptions } from "./channels.ts";
import { HeardChannel } from "./heard_channel.ts";
import { HubRepairs, type NodeListener, type RepairOptions } from "./hub_repairs.ts";
import { type InvocationEnvelope, type Question, readInvocation } from "./invocation.ts";
import { Knocker } from "./knocker.ts";
import type { MovedMembers } from "./moved_members.ts";
import type { NodeContext } from "./node_context.ts";
import type { Numbering } from "./numbering.ts";
import type { Recipient } from "./recipient.ts";
import { writeTo } from "./write_to.ts";

/** The options that {@link Incoming} reads. */
export interface IncomingOptions extends ChannelsOptions, RepairOptions {}

/** Takes what other nodes ask, and what is heard of them. */
export interface IncomingListener extends NodeListener {
  /** A client is asked for a result; `recipient` is `undefined` if it has gone. */
  asked(recipient: Recipient | undefined, message: InvocationEnvelope, question: Question): void;
}

const NOBODY: readonly never[] = [];

/** The invocations that other nodes publish for one hub: their one reader. */
export class Incoming {
  readonly channels: Channels;
  readonly knocker: Knocker;
  readonly #names: HubChannels;
  readonly #context: NodeContext<IncomingOptions>;
  readonly #listener: IncomingListener;
  readonly #repairs: HubRepairs;
  /** The channel for everybody, once the hub has started. */
  #all: HeardChannel | undefined;

  constructor(
    names: HubChannels,
    context: NodeContext<IncomingOptions>,
    numbering: Numbering,
    listener: IncomingListener,
    waits: () => boolean,
  ) {
    this.#names = names;
    this.#context = context;
    this.#listener = listener;
    this.knocker = new Knocker(names, context, (question) => listener.moving(question));
    const channels = {
      channel: (name: string) => name === names.all ? this.#all : this.channels.get(name),
      channels: () => this.#heard(),
      deliver: (channel: HeardChannel, payload: Uint8Array) => this.#deliver(channel, payload),
      isMember: (channel: HeardChannel, recipient: Recipient) =>
        !(channel instanceof Channel) || channel.audience.has(recipient),
      waits,
    };
    this.#repairs = new HubRepairs(names.hub, context, numbering, channels, listener);
    const { repair } = this.#repairs;
    const { time } = context;
    this.channels = new Channels(context, {
      requested: (channel) => repair.requested(channel, time.now()),
      confirmed: (channel) => repair.confirmed(channel, time.now()),
      closed: (channel) => repair.closed(channel),
      received: (payload, channel) => this.#received(payload, channel),
    });
  }

  /** The members that leave for another node, and those that come from one. */
  get moved(): MovedMembers {
    return this.#repairs.moved;
  }

  /** The channel for everybody, once the hub has started. */
  get all(): HeardChannel | undefined {
    return this.#all;
  }

  /** Subscribes the channel for everybody. */
  listen(everybody: Iterable<Recipient>): BackplaneSubscription {
    const { backplane, time } = this.#context;
    const { repair } = this.#repairs;
    const all = this.#all = new HeardChannel(this.#names.all, everybody, true);
    repair.requested(all, time.now());
    const subscription = backplane.subscribe(all.name, (payload) => this.#received(payload, all));
    subscription.confirmed.then(() => repair.confirmed(all, time.now()), () => {});
    return subscription;
  }

  /** Gives up channels without members, and forgets nodes that have ended. Called by the heartbeat. */
  sweep(): void {
    this.channels.sweep();
    this.#repairs.sweep(this.#heard());
  }

  /** Stops waiting. */
  close(): void {
    this.channels.close();
    this.#repairs.close();
  }

  #received(payload: Uint8Array, channel: HeardChannel): void {
    try {
      if (this.knocker.answer(payload, channel.audience)) return;
      const message = readInvocation(payload);
      // The members here were served when this node sent it.
      if (message.origin === this.#context.serverName) return;
      if (message.question !== undefined) {
        // A question comes on the channel of one connection.
        const [recipient] = channel.audience;
        return this.#listener.asked(recipient, message, message.question);
      }
      if (this.#repairs.follows(channel, message, payload)) this.#write(channel, message);
    } catch (error) {
      this.#ignored(error);
    }
  }

  /** A message that was held, or repeated. */
  #deliver(channel: HeardChannel, payload: Uint8Array): void {
    try {
      this.#write(channel, readInvocation(payload));
    } catch (error) {
      this.#ignored(error);
    }
  }

  #write(channel: HeardChannel, { frames, excluded, number }: InvocationEnvelope): void {
    const absent = channel.heedsExclusions ? excluded : NOBODY;
    const { moved } = this.#repairs;
    // A message without a number is in no repair.
    const all = moved.none || number === undefined;
    writeTo(channel.audience, frames, all ? absent : [...absent, ...moved.following(channel)]);
  }

  /** Every message of another node may cause an entry: one a minute is enough. */
  #ignored(error: unknown): void {
    const text = "Ignored a message from another node:";
    this.#context.limitedLog.log("warn", text, text, error);
  }

  *#heard(): Generator<HeardChannel, void> {
    if (this.#all !== undefined) yield this.#all;
    yield* this.channels;
  }
}
