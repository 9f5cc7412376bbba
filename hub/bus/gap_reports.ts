import type { Backplane, BackplaneGap, BackplaneStatus } from "../../backplanes/backplane.ts";
import type { Clock } from "../clock.ts";

/** An interval in which messages of other nodes may have been missed, and what has become of them. */
export interface MessageGap extends BackplaneGap {
  /** Whether every message that was missed has been fetched and delivered since. */
  readonly repaired: boolean;
  /**
   * The channels on which messages are missing, such as `chat:group:lobby`; at most 1,000. Absent if that is
   * not known, because a node that numbers no messages may have published.
   */
  readonly channels?: readonly string[];
  /** How many messages are missing, at least. Absent if that is not known. */
  readonly missing?: number;
}

/** A gap, and the status of the backplane. */
export interface MessageGapEvent {
  readonly status: BackplaneStatus;
  readonly gap: MessageGap;
}

/** How many channels a report names. */
const MAXIMUM_CHANNELS = 1000;
/** Losses within so many milliseconds are one report. */
const TOGETHER = 250;
/** For how long a node without numbers counts as present after it was heard, in milliseconds. */
const UNNUMBERED_PRESENT = 600_000;

/** The parts of a node that reports need. */
export interface GapContext {
  readonly backplane: Backplane;
  /** A clock that never stands still. */
  readonly time: Clock;
}

/**
 * Collects what the hubs of a server have missed, and reports it: after the bus was away when every hub
 * has repaired what can be repaired, else soon after a loss was found.
 */
export class GapReports {
  readonly #context: GapContext;
  readonly #report: (event: MessageGapEvent) => void;
  readonly #hubs = new Set<unknown>();
  /** The hubs that have not settled since the bus came back. */
  readonly #repairing = new Set<unknown>();
  readonly #channels = new Set<string>();
  #missing = 0;
  /** Whether something was lost. */
  #lost = false;
  #gap: BackplaneGap | undefined;
  #unnumberedAt = -Infinity;
  #timer: Disposable | undefined;
  readonly #listening: Disposable;

  /** Made before the hubs are, so that it learns of a gap before they settle. */
  constructor(context: GapContext, report: (event: MessageGapEvent) => void) {
    this.#context = context;
    this.#report = report;
    this.#listening = context.backplane.onStatus(({ status, gap }) => {
      if (gap !== undefined) this.#began(gap);
      if (status === "closed") this.#giveUp();
    });
  }

  /** A hub takes part, and settles after each gap from now on. */
  join(hub: unknown): void {
    this.#hubs.add(hub);
  }

  /** A message of a node that numbers none has come. */
  unnumbered(): void {
    this.#unnumberedAt = this.#context.time.now();
  }

  /** So many messages are missing on a channel, at least; 0 if perhaps none is. */
  lost(channel: string, missing: number): void {
    this.#lost = true;
    this.#missing += missing;
    if (this.#channels.size < MAXIMUM_CHANNELS) this.#channels.add(channel);
    const now = this.#context.time.date();
    this.#gap ??= { since: now, until: now };
    if (this.#repairing.size > 0) return;
    this.#timer ??= this.#context.time.after(TOGETHER, () => {
      this.#timer = undefined;
      // The bus was away meanwhile: the loss is told with what that brings.
      if (this.#repairing.size === 0) this.#tell(now);
    });
  }

  /** A hub has repaired or lost everything that was missing since the bus was away. */
  settled(hub: unknown): void {
    if (this.#repairing.delete(hub) && this.#repairing.size === 0) this.#tell();
  }

  /** Reports what was lost and not told yet, and what a repair has not brought yet; then nothing any more. */
  close(): void {
    this.#listening[Symbol.dispose]();
    if (this.#repairing.size > 0) this.#giveUp();
    else if (this.#lost) this.#tell(this.#context.time.date());
  }

  #began({ since, until }: BackplaneGap): void {
    this.#gap = {
      since: Math.min(since, this.#gap?.since ?? since),
      until: Math.max(until, this.#gap?.until ?? until),
    };
    for (const hub of this.#hubs) this.#repairing.add(hub);
    if (this.#hubs.size === 0) this.#tell();
  }

  /** The repairs do not end: what the hubs were repairing may be missing, nobody knows on which channels. */
  #giveUp(): void {
    if (this.#repairing.size === 0) return;
    this.#repairing.clear();
    this.#channels.clear();
    this.#lost = true;
    this.#tell();
  }

  /** `until` is when the last loss was found, where no gap of the bus was reported. */
  #tell(until?: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const gap = this.#gap;
    if (gap === undefined) return;
    const { backplane, time } = this.#context;
    const unnumbered = until === undefined && time.now() - this.#unnumberedAt < UNNUMBERED_PRESENT;
    const repaired = !this.#lost && !unnumbered;
    const report: MessageGap = {
      ...gap,
      repaired,
      ...this.#channels.size > 0 && !unnumbered && { channels: [...this.#channels] },
      ...this.#missing > 0 && { missing: this.#missing },
    };
    this.#gap = undefined;
    this.#lost = false;
    this.#missing = 0;
    this.#channels.clear();
    this.#report({ status: backplane.status, gap: report });
  }
}
