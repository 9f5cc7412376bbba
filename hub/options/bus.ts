import { inRanges, MAXIMUM } from "./range.ts";

/** The options of what happens when the bus is away or loses messages. Durations are milliseconds. */
export interface BusOptions {
  /**
   * How long a message to other nodes may wait for the bus while that is away, 0 to 2,147,483,647. Its
   * promise resolves when the bus has taken it, and rejects when this time is over; then the message is
   * withdrawn. 0 rejects at once.
   *
   * @default {5000}
   */
  readonly outageTimeout?: number;
  /**
   * How many bytes of the last 30 s of messages each hub keeps, so that other nodes can fetch what they have
   * missed, 0 to 1,073,741,824. The same number of bytes may wait for the bus, and be held until missing
   * messages have come.
   *
   * @default {8388608}
   */
  readonly repairBufferBytes?: number;
  /**
   * How long messages of a sender may be held until those before them have come, 1 to 60,000. What has
   * not come then is reported as a gap. The time stands still while the bus is away. A sender that has lost
   * its bus answers when it is back: the default is longer than that takes.
   *
   * @default {5000}
   */
  readonly repairTimeout?: number;
}

/** The options of the bus with their defaults. */
export type ResolvedBusOptions = Required<BusOptions>;

/** Checks the options of the bus and fills in defaults; throws as `resolveOptions`. */
export function resolveBus(options: BusOptions): ResolvedBusOptions {
  return inRanges(options, {
    outageTimeout: [0, MAXIMUM, 5000],
    repairBufferBytes: [0, 2 ** 30, 8 * 1024 * 1024],
    repairTimeout: [1, 60_000, 5000],
  });
}
