import { inRanges } from "./range.ts";

/** The options of the calls of clients. */
export interface DispatchOptions {
  /**
   * How many invocations of one client run at a time, 1 to 1,000,000. Further invocations wait, within
   * `maximumQueuedReceiveBytes`.
   *
   * @default {1}
   */
  readonly maximumParallelInvocationsPerClient?: number;
  /**
   * How many further invocations of one client may be under way: streams, invocations with uploads, and
   * invocations that wait for a client's result, 1 to 1,000,000. Beyond this limit invocations fail.
   *
   * @default {1000}
   */
  readonly maximumBackgroundInvocationsPerClient?: number;
  /**
   * How many items of one upload stream may wait to be read, 1 to 1,000,000. Beyond this limit no further
   * invocation of the client begins, and the items wait within `maximumQueuedReceiveBytes`.
   *
   * @default {10}
   */
  readonly streamBufferCapacity?: number;
}

/** The options of calls with their defaults. */
export interface ResolvedDispatchOptions extends Required<DispatchOptions> {
  /** Whether clients see the texts of all errors. */
  readonly detailedErrors: boolean;
}

/** Checks the options of calls and fills in defaults; throws as `resolveOptions`. */
export function resolveDispatch(options: DispatchOptions): Required<DispatchOptions> {
  return inRanges(options, {
    maximumParallelInvocationsPerClient: [1, 1_000_000, 1],
    maximumBackgroundInvocationsPerClient: [1, 1_000_000, 1000],
    streamBufferCapacity: [1, 1_000_000, 10],
  });
}
