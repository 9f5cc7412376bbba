/** The largest duration and size that an option can have. */
export const MAXIMUM = 0x7fffffff;

/**
 * Checks a number.
 *
 * @throws {RangeError} naming the option, its value and its range.
 */
export function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(
    `Cannot use ${name}: ${value} is not an integer between ${least} and ${most}`,
  );
}
