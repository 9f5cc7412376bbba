/**
 * A bus for the workers of one process, over the platform's `BroadcastChannel`: no server, no
 * permission.
 *
 * ```ts
 * import { BroadcastChannelBackplane } from "@hubplane/hubplane/broadcast-channel";
 *
 * // Each worker opens its own instance of the same name; these two share a thread.
 * await using one = new BroadcastChannelBackplane("chat");
 * await using two = new BroadcastChannelBackplane("chat");
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
import { setImmediate } from "node:timers";
import type {
  Backplane,
  BackplaneGap,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "./backplane.ts";
import { type JoinedMessages, PostQueue } from "./broadcast_channel/post_queue.ts";
import type { BroadcastChannelBackplaneOptions } from "./broadcast_channel/options.ts";
import type { Packet, Sign } from "./broadcast_channel/packet.ts";
import { PacketChannel } from "./broadcast_channel/packet_channel.ts";
import { BroadcastPeers } from "./broadcast_channel/peers.ts";
import { datesOf, TIME_ERROR, toDate, toSteady } from "./broadcast_channel/shared_time.ts";
import { checkChannelName } from "./driver/channel_name.ts";
import { checkOptionNames, resolveBackplaneOptions, SHARED_OPTIONS } from "./driver/options.ts";
import { Silence } from "./driver/silence.ts";
import { StatusSource } from "./driver/status.ts";
import { ChannelSubscriptions } from "./driver/subscriptions.ts";
import { BackplaneClosedError } from "./errors.ts";

/** The shortest pause between two answers to instances that open, in milliseconds. */
const ANSWER_PAUSE = 20;

/** How often a new channel is tried, a millisecond apart, before it counts as sound; see `PacketChannel.send`. */
const TRIES = 4;
/**
 * Subscriptions count from so many milliseconds after the opening: the times of posts, which may be a
 * little wrong, then tell which posts were made before the opening.
 */
const READY = 2 * TIME_ERROR + 1;

export type { BroadcastChannelBackplaneOptions };

/**
 * A {@link Backplane} between the workers of one process.
 *
 * - **Joining**: what is published in one turn of the event loop leaves as one post of at most 1 MiB
 *   (a single message may be larger). `publish` copies the payload and resolves with `undefined`.
 * - **Loss**: Deno keeps 256 posts for a thread, of all its `BroadcastChannel`s together, and drops
 *   the oldest without a sign when the thread is busy for too long. So posts are numbered and signs of
 *   life carry the last number; a hole is reported as a gap, while the status stays `open`. `since`
 *   is the last packet that arrived before the hole, `until` the last post in it.
 * - **Opening**: a post tells when the one before it was made, so an instance that opens later knows
 *   which posts of a yet unknown instance it should have received. No instance has to answer.
 * - **Silence**: an instance whose thread ended without `close()`, or was blocked for longer than
 *   `probeInterval + probeTimeout`, is reported as a gap from its last packet until now.
 * - **Own messages**: an instance does not hear itself. Instances in one thread hear each other.
 * - **Life**: like a connection, an instance keeps its process alive until it is closed.
 */
export class BroadcastChannelBackplane implements Backplane {
  readonly #id: string = crypto.randomUUID();
  readonly #channel: PacketChannel;
  readonly #prefix: string;
  readonly #interval: number;
  readonly #timeout: number;
  readonly #status: StatusSource;
  readonly #subscriptions: ChannelSubscriptions;
  readonly #posts: PostQueue = new PostQueue((messages) => this.#post(messages));
  readonly #peers: BroadcastPeers;
  /** The number and time of the last post. */
  #number = 0;
  #previous = 0;
  /** When the last sign was. */
  #signed = 0;
  #tries = 0;
  readonly #ticking: ReturnType<typeof setInterval>;
  readonly #readying: ReturnType<typeof setInterval>;
  #closing: Promise<void> | undefined;

  /**
   * Opens an instance on the `BroadcastChannel` called `name`.
   *
   * @throws {RangeError} naming an option that is out of its range.
   * @throws {TypeError} naming an option that is not known.
   */
  constructor(name: string, options: BroadcastChannelBackplaneOptions = {}) {
    checkOptionNames("BroadcastChannelBackplane", options, { ...SHARED_OPTIONS, prefix: true });
    const resolved = resolveBackplaneOptions(options);
    this.#prefix = options.prefix ?? "";
    this.#interval = resolved.probeInterval;
    this.#timeout = resolved.probeTimeout;
    this.#status = new StatusSource("open", resolved.logger);
    const answer = () => Promise.resolve();
    const bus = { subscribe: answer, unsubscribe: answer };
    this.#subscriptions = new ChannelSubscriptions(bus, resolved.logger);
    const receive = (packet: Packet) => this.#receive(packet);
    this.#channel = new PacketChannel(name, receive, resolved.logger);
    const opened = performance.now();
    const silence = new Silence(this.#interval + this.#timeout / 2, opened);
    this.#peers = new BroadcastPeers(opened + TIME_ERROR, this.#interval, silence);
    this.#ticking = setInterval(() => this.#tick(), this.#interval);
    this.#readying = setInterval(() => this.#ready(opened), 1);
    this.#sign("hello");
  }

  /** `open` until it is closed: there is no connection that could be lost. */
  get status(): BackplaneStatus {
    return this.#status.status;
  }

  /** As {@link Backplane.publish}; resolves once the post is made, which tells nothing of receivers. */
  async publish(channel: string, payload: Uint8Array): Promise<undefined> {
    checkChannelName(channel);
    if (this.status === "closed") throw closed();
    // A copy: posting a view clones all of the buffer that it is a view of.
    await this.#posts.add(this.#prefix + channel, new Uint8Array(payload));
    return undefined;
  }

  /**
   * As {@link Backplane.subscribe}. There is no bus that must confirm: `confirmed` resolves at once,
   * except in the first few milliseconds after the instance was opened.
   */
  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    return this.#subscriptions.subscribe(channel, handler);
  }

  /** As {@link Backplane.onStatus}. */
  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.#status.onStatus(listener);
  }

  /** As {@link Backplane.close}. What was published before is still posted. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#ticking);
    clearInterval(this.#readying);
    this.#subscriptions.close(closed());
    this.#channel.silence();
    this.#sign("bye");
    this.#status.emit({ status: "closed" });
    // Deno hands a post to other threads in a later turn, unless the channel is closed by then.
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    this.#channel.close();
  }

  #ready(opened: number): void {
    // Finds out whether the channel was cut off, which takes two turns at most; see PacketChannel.
    this.#sign("beat");
    if (++this.#tries < TRIES || performance.now() - opened < READY) return;
    clearInterval(this.#readying);
    void this.#subscriptions.connected();
  }

  #tick(): void {
    this.#missed(this.#peers.silent(performance.now(), this.#timeout));
    this.#sign("beat");
  }

  #post({ at, names, payloads }: JoinedMessages): void {
    const previous = this.#previous;
    try {
      this.#channel.send({
        hubplane: 1,
        kind: "post",
        from: this.#id,
        number: ++this.#number,
        previous: toDate(previous),
        at: toDate(at),
        names,
        payloads,
      });
    } finally {
      this.#previous = performance.now();
    }
  }

  #sign(kind: Sign["kind"]): void {
    // Messages that were published before this sign must not come after it.
    this.#posts.flush();
    this.#signed = performance.now();
    this.#channel.sign({
      hubplane: 1,
      kind,
      from: this.#id,
      number: this.#number,
      previous: toDate(this.#previous),
      at: toDate(this.#signed),
      interval: this.#interval,
    });
  }

  #receive(packet: Packet): void {
    if (this.#peers.knows(packet)) return;
    const now = performance.now();
    const { previous, at } = packet;
    this.#missed(
      this.#peers.saw({ ...packet, previous: toSteady(previous), at: toSteady(at) }, now),
    );
    // One answer serves every instance that asked lately.
    if (packet.kind === "hello" && now - this.#signed > ANSWER_PAUSE) this.#sign("beat");
    if (packet.kind !== "post") return;
    for (const [index, name] of packet.names.entries()) {
      const payload = packet.payloads[index];
      if (payload === undefined || !name.startsWith(this.#prefix)) continue;
      this.#subscriptions.dispatch(name.slice(this.#prefix.length), payload);
    }
  }

  /** Reports a gap, if there is one; without handlers nothing can have been missed. */
  #missed(gap: BackplaneGap | undefined): void {
    if (gap === undefined || !this.#subscriptions.any) return;
    this.#status.emit({ status: "open", gap: datesOf(gap) });
  }
}

function closed(): BackplaneClosedError {
  return new BackplaneClosedError("Cannot use the BroadcastChannel backplane: it is closed");
}
