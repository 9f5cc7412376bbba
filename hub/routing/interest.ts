import type {
  Backplane,
  BackplaneHandler,
  BackplaneSubscription,
} from "../../backplanes/backplane.ts";
import type { Clock } from "../clock.ts";

/** What a channel's user wants of it. */
export interface ChannelUse {
  /** Called with each payload. */
  readonly deliver: BackplaneHandler;
  /** Called when an attempt fails, before anyone who awaits it hears of it. */
  readonly failed?: () => void;
  /** Ask for it again whenever the bus comes back, until it is released. */
  readonly kept?: boolean;
}

interface Entry {
  readonly channel: string;
  readonly use: ChannelUse;
  /** The attempt under way; all who join meanwhile await this one. */
  pending: Promise<void> | undefined;
  subscription: BackplaneSubscription | undefined;
  /** When the last user let go. */
  releasedAt: number | undefined;
}

/**
 * The channels this node needs, while it needs them: first in subscribes, last out unsubscribes.
 *
 * - **Delay**: a channel that nobody uses is given up after `unsubscribeDelay`; one that is needed
 *   again before then never left the bus.
 * - **Roll-back**: an attempt that fails leaves nothing behind.
 * - **Kept** channels survive a failed attempt: they are asked for again by {@link retry}.
 */
export class Interest {
  readonly #backplane: Backplane;
  readonly #clock: Clock;
  readonly #unsubscribeDelay: number;
  readonly #entries = new Map<string, Entry>();
  readonly #released = new Set<Entry>();

  constructor(backplane: Backplane, clock: Clock, unsubscribeDelay: number) {
    this.#backplane = backplane;
    this.#clock = clock;
    this.#unsubscribeDelay = unsubscribeDelay;
  }

  /**
   * Needs `channel` from now on. Returns nothing when it is subscribed already, else a promise that
   * resolves once the bus has confirmed and rejects if it has not.
   */
  acquire(channel: string, use: ChannelUse): Promise<void> | undefined {
    let entry = this.#entries.get(channel);
    if (entry === undefined) {
      entry = {
        channel,
        use,
        pending: undefined,
        subscription: undefined,
        releasedAt: undefined,
      };
      this.#entries.set(channel, entry);
    }
    entry.releasedAt = undefined;
    this.#released.delete(entry);
    if (entry.subscription !== undefined) return undefined;
    return entry.pending ?? this.#attempt(entry);
  }

  /** Nobody here needs `channel` any more. */
  release(channel: string): void {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return;
    entry.releasedAt = this.#clock.now();
    this.#released.add(entry);
  }

  /** Whether the bus has confirmed `channel`. */
  isSubscribed(channel: string): boolean {
    return this.#entries.get(channel)?.subscription !== undefined;
  }

  /** Gives up what has been released for long enough. Called by the heartbeat. */
  sweep(): void {
    const due = this.#clock.now() - this.#unsubscribeDelay;
    for (const entry of this.#released) {
      if (entry.pending !== undefined || (entry.releasedAt ?? Infinity) > due) continue;
      this.#released.delete(entry);
      this.#entries.delete(entry.channel);
      // It cannot reject: a channel that the bus lost is no longer subscribed.
      entry.subscription?.unsubscribe();
    }
  }

  /** Asks again for the kept channels that are not confirmed. Called when the bus is back. */
  retry(): Promise<void> {
    const attempts: Promise<void>[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.use.kept && entry.subscription === undefined && entry.releasedAt === undefined) {
        attempts.push(entry.pending ?? this.#attempt(entry));
      }
    }
    return Promise.all(attempts).then(() => {});
  }

  #attempt(entry: Entry): Promise<void> {
    const attempt = this.#backplane.subscribe(entry.channel, entry.use.deliver).then(
      (subscription) => {
        entry.pending = undefined;
        entry.subscription = subscription;
      },
      (error) => {
        entry.pending = undefined;
        if (!entry.use.kept || entry.releasedAt !== undefined) {
          this.#released.delete(entry);
          this.#entries.delete(entry.channel);
        }
        entry.use.failed?.();
        throw error;
      },
    );
    // Whoever awaits it hears of the failure; nobody else has to.
    attempt.catch(() => {});
    return entry.pending = attempt;
  }
}
