import type {
  Backplane,
  BackplaneHandler,
  BackplaneSubscription,
} from "../../backplanes/backplane.ts";
import { BackplaneClosedError, BackplaneUnavailableError } from "../../backplanes/errors.ts";
import type { Clock } from "../clock.ts";

/** What a channel's user wants of it. */
export interface ChannelUse {
  /** Called with each payload. */
  readonly deliver: BackplaneHandler;
  /** Called when an attempt fails, before anyone who awaits it hears of it. */
  readonly failed?: () => void;
  /** Ask for it again after a failed attempt, until it is released. */
  readonly kept?: boolean;
}

/** An attempt that failed sooner than this, in milliseconds, or was refused, is repeated by the next sweep only. */
const PATIENCE = 100;

interface Entry {
  readonly channel: string;
  readonly deliver: ChannelUse["deliver"];
  readonly failed: ChannelUse["failed"];
  readonly kept: boolean;
  /** The attempt under way; all who join meanwhile await this one. */
  pending: Promise<void> | undefined;
  subscription: BackplaneSubscription | undefined;
  /** When the last user let go. */
  releasedAt: number | undefined;
  /** Whether it has been said that the bus refuses it. */
  reported: boolean;
}

/**
 * The channels this node needs, while it needs them: first in subscribes, last out unsubscribes.
 *
 * - **Delay**: a channel that nobody uses is given up after `unsubscribeDelay`; one that is needed
 *   again before then never left the bus.
 * - **Roll-back**: an attempt that fails leaves nothing behind.
 * - **Kept** channels survive a failed attempt. While the bus is away there is always an attempt under
 *   way, so that the backplane confirms them before it says that it is open: no message falls between.
 */
export class Interest {
  readonly #backplane: Backplane;
  readonly #clock: Clock;
  readonly #logger: Pick<Console, "error">;
  readonly #unsubscribeDelay: number;
  readonly #entries = new Map<string, Entry>();
  readonly #released = new Set<Entry>();
  /** Kept channels without an attempt under way. */
  readonly #failed = new Set<Entry>();

  constructor(
    parts: {
      readonly backplane: Backplane;
      readonly clock: Clock;
      readonly logger: Pick<Console, "error">;
      readonly unsubscribeDelay: number;
    },
  ) {
    this.#backplane = parts.backplane;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#unsubscribeDelay = parts.unsubscribeDelay;
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
        deliver: use.deliver,
        failed: use.failed,
        kept: use.kept ?? false,
        pending: undefined,
        subscription: undefined,
        releasedAt: undefined,
        reported: false,
      };
      this.#entries.set(channel, entry);
    }
    entry.releasedAt = undefined;
    this.#released.delete(entry);
    this.#failed.delete(entry);
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

  /** Gives up what has been released for long enough, and asks again for what failed. Called by the heartbeat. */
  sweep(): void {
    const due = this.#clock.now() - this.#unsubscribeDelay;
    for (const entry of this.#released) {
      if (entry.pending !== undefined || (entry.releasedAt ?? Infinity) > due) continue;
      this.#drop(entry);
      // It cannot reject: a channel that the bus lost is no longer subscribed.
      entry.subscription?.unsubscribe();
    }
    this.retry();
  }

  /** Asks again for the kept channels whose last attempt failed. Called when the bus is back. */
  retry(): void {
    for (const entry of this.#failed) {
      this.#failed.delete(entry);
      if (entry.releasedAt === undefined) this.#attempt(entry);
    }
  }

  #attempt(entry: Entry): Promise<void> {
    const startedAt = this.#clock.now();
    const attempt = this.#backplane.subscribe(entry.channel, entry.deliver).then(
      (subscription) => {
        entry.pending = undefined;
        entry.subscription = subscription;
        entry.reported = false;
      },
      (error) => {
        entry.pending = undefined;
        if (!entry.kept || entry.releasedAt !== undefined) this.#drop(entry);
        else if (isAway(error) && this.#clock.now() - startedAt >= PATIENCE) this.#attempt(entry);
        else this.#failed.add(entry);
        entry.failed?.();
        this.#report(entry, error);
        throw error;
      },
    );
    // Whoever awaits it hears of the failure; nobody else has to.
    attempt.catch(() => {});
    return entry.pending = attempt;
  }

  /** A kept channel that the bus refuses is missing for good, and nobody awaits it: say so, once. */
  #report(entry: Entry, error: unknown): void {
    if (!entry.kept || entry.reported || isAway(error)) return;
    entry.reported = true;
    const channel = JSON.stringify(entry.channel);
    this.#logger.error(`Messages on ${channel} do not arrive here, the bus refuses it:`, error);
  }

  #drop(entry: Entry): void {
    this.#released.delete(entry);
    this.#failed.delete(entry);
    this.#entries.delete(entry.channel);
  }
}

/** Whether the bus did not answer; else it has refused. */
function isAway(error: unknown): boolean {
  return error instanceof BackplaneUnavailableError || error instanceof BackplaneClosedError;
}
