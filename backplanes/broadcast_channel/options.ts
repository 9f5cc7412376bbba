import type { BackplaneOptions } from "../driver/options.ts";

/** Options of `BroadcastChannelBackplane`; all instances of one name should have the same. */
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
