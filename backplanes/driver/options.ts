/** Options that every driver with a bus shares. */
import { checkNames, type NamesOf } from "../../hub/options/known.ts";

/** Where a driver reports what no caller can be told: a handler that threw, a bus that misbehaves. */
export type BackplaneLogger = Pick<Console, "error" | "warn">;

/** Options of every driver that talks to a bus. */
export interface BackplaneOptions {
  /**
   * How long a publish may wait for the bus to accept it, in milliseconds, 1 to 600,000.
   *
   * @default {5000}
   */
  readonly publishTimeout?: number;
  /**
   * The pause between two probes of the subscribing connection, in milliseconds, 10 to 60,000. A
   * reported gap begins at most this long before the bus was lost.
   *
   * @default {1000}
   */
  readonly probeInterval?: number;
  /**
   * How long the bus may leave a probe unanswered before the connection counts as lost, in
   * milliseconds, 10 to 600,000. A hung bus is noticed within `probeInterval + probeTimeout`.
   *
   * @default {2000}
   */
  readonly probeTimeout?: number;
  /**
   * Where an outage and its end, a refused channel and a handler that throws are reported.
   *
   * @default {console}
   */
  readonly logger?: BackplaneLogger;
}

/** Options that drivers share, by name. Every driver takes them, so that drivers can be exchanged. */
export const SHARED_OPTIONS: NamesOf<BackplaneOptions> = {
  publishTimeout: true,
  probeInterval: true,
  probeTimeout: true,
  logger: true,
};

/**
 * Checks that `options` has no members but the `known` ones. `what` they are options of is named in texts.
 *
 * @throws {TypeError} naming the option and the nearest known one.
 */
export function checkOptionNames<O extends object>(
  what: string,
  options: O,
  known: NamesOf<NoInfer<O>>,
): void {
  checkNames(options, known, `Cannot use options of ${what}`);
}

const RANGES = {
  publishTimeout: [1, 600_000, 5000],
  probeInterval: [10, 60_000, 1000],
  probeTimeout: [10, 600_000, 2000],
} as const;

/**
 * The options with their defaults filled in.
 *
 * @throws {RangeError} naming the option, its value and its range.
 */
export function resolveBackplaneOptions(
  options: BackplaneOptions = {},
): Required<BackplaneOptions> {
  const duration = (name: keyof typeof RANGES): number => {
    const [least, most, otherwise] = RANGES[name];
    const value = options[name] ?? otherwise;
    if (Number.isFinite(value) && value >= least && value <= most) return value;
    throw new RangeError(`Cannot use ${name}: ${value} is not between ${least} and ${most} ms`);
  };
  return {
    publishTimeout: duration("publishTimeout"),
    probeInterval: duration("probeInterval"),
    probeTimeout: duration("probeTimeout"),
    logger: options.logger ?? console,
  };
}
