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
import { type Batch, BroadcastOutbox } from "./broadcast_channel/outbox.ts";
import { isPacket, type Packet, type Sign } from "./broadcast_channel/packet.ts";
import { BroadcastPeers } from "./broadcast_channel/peers.ts";
import { checkChannelName } from "./driver/channel_name.ts";
import { type BackplaneOptions, resolveBackplaneOptions } from "./driver/options.ts";
import { StatusSource } from "./driver/status.ts";
import { ChannelSubscriptions } from "./driver/subscriptions.ts";
import { BackplaneClosedError } from "./errors.ts";

export type {
  Backplane,
  BackplaneGap,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "./backplane.ts";
export type { BackplaneLogger, BackplaneOptions } from "./driver/options.ts";

/** The shortest pause between two answers to instances that open, in milliseconds. */
const ANSWER_PAUSE = 20;

/** How often a new channel is tried, a millisecond apart, before it counts as sound; see `#send`. */
const TRIES = 4;

/** Options of {@link BroadcastChannelBackplane}; all instances of one name should have the same. */
export interface BroadcastChannelBackplaneOptions extends Pick<BackplaneOptions, "logger"> {
  /**
   * Put before every channel name, so that applications can share a `BroadcastChannel` without
   * hearing each other. End it in `:`.
   *
   * @default {""}
   */
  readonly prefix?: string;
  /**
   * The pause between two signs of life, in milliseconds, 10 to 60,000. A sign carries the number of
   * the last post, so a loss is reported at most this long after the receiver looks again.
   *
   * @default {1000}
   */
  readonly probeInterval?: number;
  /**
   * How long a sign of another instance may be overdue before it counts as ended without a word, in
   * milliseconds, 10 to 600,000. A gap is reported then, since its last words may have been lost.
   *
   * @default {2000}
   */
  readonly probeTimeout?: number;
}

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
 *   what it is owed by one it never heard of. Nobody is asked, and nobody waits for an answer.
 * - **Silence**: an instance whose thread ended without `close()`, or was blocked for longer than
 *   `probeInterval + probeTimeout`, is reported as a gap from its last packet until now.
 * - **Own messages**: an instance does not hear itself. Instances in one thread hear each other.
 * - **Life**: like a connection, an instance keeps its process alive until it is closed.
 */
export class BroadcastChannelBackplane implements Backplane {
  readonly #id: string = crypto.randomUUID();
  readonly #name: string;
  #channel: BroadcastChannel;
  readonly #prefix: string;
  readonly #interval: number;
  readonly #timeout: number;
  readonly #status: StatusSource;
  readonly #subscriptions: ChannelSubscriptions;
  readonly #outbox: BroadcastOutbox = new BroadcastOutbox((batch) => this.#post(batch));
  readonly #peers: BroadcastPeers;
  /** The number and time of the last post. */
  #number = 0;
  #previous = 0;
  /** When the last tick and the last sign were. */
  #ticked: number;
  #signed = 0;
  #tries = 0;
  readonly #ticking: ReturnType<typeof setInterval>;
  readonly #readying: ReturnType<typeof setInterval>;
  #closing: Promise<void> | undefined;

  /**
   * Opens an instance on the `BroadcastChannel` called `name`.
   *
   * @throws {RangeError} naming an option that is out of its range.
   */
  constructor(name: string, options: BroadcastChannelBackplaneOptions = {}) {
    const resolved = resolveBackplaneOptions(options);
    this.#prefix = options.prefix ?? "";
    this.#interval = resolved.probeInterval;
    this.#timeout = resolved.probeTimeout;
    this.#status = new StatusSource("open", resolved.logger);
    const answer = () => Promise.resolve();
    const bus = { subscribe: answer, unsubscribe: answer };
    this.#subscriptions = new ChannelSubscriptions(bus, resolved.logger);
    this.#name = name;
    this.#channel = this.#listen();
    const opened = this.#ticked = Date.now();
    this.#peers = new BroadcastPeers(opened, this.#interval);
    this.#ticking = setInterval(() => this.#tick(), this.#interval);
    this.#readying = setInterval(() => this.#ready(opened), 1);
    this.#sign("hello");
  }

  /** `open` until it is closed: there is no connection that could be lost. */
  get status(): BackplaneStatus {
    return this.#status.status;
  }

  /**
   * As {@link Backplane.publish}; resolves once the post is made, which tells nothing of receivers.
   *
   * @throws {RangeError} if the channel name is empty, over 1,024 bytes or not well-formed.
   * @throws {BackplaneClosedError} after `close()`.
   */
  async publish(channel: string, payload: Uint8Array): Promise<undefined> {
    checkChannelName(channel);
    if (this.status === "closed") throw closed();
    // A copy: posting a view clones all of the buffer that it is a view of.
    await this.#outbox.add(this.#prefix + channel, new Uint8Array(payload));
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

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#ticking);
    clearInterval(this.#readying);
    this.#subscriptions.close(closed());
    this.#channel.onmessage = null;
    this.#sign("bye");
    this.#status.emit({ status: "closed" });
    // Deno hands a post to other threads in a later turn, unless the channel is closed by then.
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    this.#channel.close();
  }

  #listen(): BroadcastChannel {
    const channel = new BroadcastChannel(this.#name);
    channel.onmessage = ({ data }) => this.#receive(data);
    return channel;
  }

  /** Subscriptions count from the next millisecond: only then times tell what came before. */
  #ready(opened: number): void {
    // Finds out whether the channel was cut off, which takes two turns at most; see #send.
    this.#sign("beat");
    if (++this.#tries < TRIES || Date.now() === opened) return;
    clearInterval(this.#readying);
    void this.#subscriptions.connected();
  }

  #tick(): void {
    const now = Date.now();
    // Who was blocked itself has signs of the others waiting, unread.
    if (now - this.#ticked > this.#interval + this.#timeout / 2) this.#peers.excuse(now);
    this.#ticked = now;
    for (const gap of this.#peers.silent(now, this.#timeout)) this.#missed(gap);
    this.#sign("beat");
  }

  #post({ at, names, payloads }: Batch): void {
    const previous = this.#previous;
    try {
      this.#send({
        ...{ hubplane: 1, kind: "post", from: this.#id, at, names, payloads },
        ...{ number: ++this.#number, previous },
      });
    } finally {
      this.#previous = Date.now();
    }
  }

  #sign(kind: Sign["kind"]): void {
    // What was published before this sign must not come after it.
    this.#outbox.flush();
    this.#signed = Date.now();
    this.#send({
      ...{ hubplane: 1, kind, from: this.#id, at: this.#signed, interval: this.#interval },
      ...{ number: this.#number, previous: this.#previous },
    });
  }

  #send(packet: Packet): void {
    try {
      this.#channel.postMessage(packet);
    } catch {
      // Deno 2.9: the end of a thread's last channel, which comes a turn after its close(), cuts off
      // a channel that was opened in that turn; posting then throws, after it has reached this thread.
      // A new channel works. What was missed meanwhile, or arrives twice, shows in the numbers.
      const cut = this.#channel;
      this.#channel = this.#listen();
      cut.close();
      this.#channel.postMessage(packet);
    }
  }

  #receive(data: unknown): void {
    if (!isPacket(data) || this.#peers.knows(data)) return;
    const gap = this.#peers.saw(data, Date.now());
    if (gap !== undefined) this.#missed(gap);
    // One answer serves all who asked lately.
    if (data.kind === "hello" && Date.now() - this.#signed > ANSWER_PAUSE) this.#sign("beat");
    if (data.kind !== "post") return;
    for (const [index, name] of data.names.entries()) {
      const payload = data.payloads[index];
      if (payload === undefined || !name.startsWith(this.#prefix)) continue;
      this.#subscriptions.dispatch(name.slice(this.#prefix.length), payload);
    }
  }

  /** Without handlers nothing was owed. */
  #missed(gap: BackplaneGap): void {
    if (!this.#subscriptions.any) return;
    this.#status.emit({ status: "open", gap });
  }
}

function closed(): BackplaneClosedError {
  return new BackplaneClosedError("Cannot use the BroadcastChannel backplane: it is closed");
}
