/** A time in which a bus may have lost messages, on a clock that never jumps, in milliseconds. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** The most intervals that are remembered of a bus. Beyond, the two oldest become one that covers both. */
const MAXIMUM_INTERVALS = 16;

/** The gaps of one bus. */
interface Bus {
  /** Since when the bus is known to be away, if it is. */
  away: number | undefined;
  wasOpen: boolean;
  gaps: Interval[];
}

/**
 * Finds the times in which no bus was sound, from the gaps of each.
 *
 * A bus that is away tells only when it is back from when on it may have lost messages. So a gap of another
 * bus that ends meanwhile counts as common from its beginning on, which may be too early and never too late.
 * A gap that ended before the bus was known to be away is compared when the bus is back.
 * The time before the first bus has opened is no gap: nobody could expect messages.
 */
export class CommonGaps {
  readonly #buses: readonly Bus[];
  #told: Interval[] = [];
  #start: number | undefined;

  /** `open` says of each bus whether it is open at `now`. */
  constructor(open: readonly boolean[], now: number) {
    this.#buses = open.map((isOpen) => ({
      away: isOpen ? undefined : now,
      wasOpen: isOpen,
      gaps: [],
    }));
    if (open.includes(true)) this.#start = now;
  }

  /**
   * Bus `index` has told its status, and a gap of its own if it has one to report. Returns the gaps that
   * all buses have in common and that have not been returned before.
   */
  heard(index: number, open: boolean, gap: Interval | undefined, now: number): Interval[] {
    const bus = this.#buses[index];
    if (bus === undefined) return [];
    const first = open && !bus.wasOpen;
    bus.away = open ? undefined : bus.away ?? now;
    bus.wasOpen ||= open;
    if (this.#start === undefined) {
      if (open) this.#start = now;
      return [];
    }
    // A bus that opens for the first time has carried nothing to this node before.
    const own = first ? { from: this.#start, to: now } : gap;
    if (own === undefined) return [];
    bus.gaps = remembered(bus.gaps, own);
    const found = this.#commonWith(index, { ...own, from: Math.max(own.from, this.#start) });
    const news = found.filter((interval) => !this.#told.some((told) => covers(told, interval)));
    // A forgotten gap may be told twice.
    this.#told = [...this.#told, ...news].slice(-MAXIMUM_INTERVALS);
    return news;
  }

  #commonWith(index: number, own: Interval): Interval[] {
    let common = own.from <= own.to ? [own] : [];
    for (const [other, { away, gaps }] of this.#buses.entries()) {
      if (other === index) continue;
      common = common.flatMap((interval) =>
        away !== undefined && interval.to >= away ? [interval] : overlaps(interval, gaps)
      );
    }
    return common;
  }
}

function overlaps(interval: Interval, gaps: readonly Interval[]): Interval[] {
  return gaps.flatMap((gap) => {
    const from = Math.max(gap.from, interval.from);
    const to = Math.min(gap.to, interval.to);
    return from <= to ? [{ from, to }] : [];
  });
}

function covers(outer: Interval, inner: Interval): boolean {
  return outer.from <= inner.from && inner.to <= outer.to;
}

/** The intervals with `added`, in the order of their ends. */
function remembered(intervals: readonly Interval[], added: Interval): Interval[] {
  const [first, second, ...rest] = [...intervals, added];
  if (rest.length + 2 <= MAXIMUM_INTERVALS || first === undefined || second === undefined) {
    return [...intervals, added];
  }
  return [{ from: Math.min(first.from, second.from), to: Math.max(first.to, second.to) }, ...rest];
}
