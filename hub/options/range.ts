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

/** The least value, the greatest value and the default of each number in `O`. */
export type Ranges<O> = { readonly [K in keyof O]-?: readonly [number, number, number] };

/**
 * Checks the numbers of `options` that have a range, and fills in their defaults.
 *
 * @throws {RangeError} naming the option, its value and its range.
 */
export function inRanges<O extends { readonly [K in keyof O]?: number | undefined }>(
  options: O,
  ranges: Ranges<O>,
): { readonly [K in keyof O]-?: number } {
  const numbers = {} as { -readonly [K in keyof O]-?: number };
  for (const name of Object.keys(ranges) as (keyof O & string)[]) {
    const [least, most, otherwise] = ranges[name];
    numbers[name] = inRange(name, options[name] ?? otherwise, least, most);
  }
  return numbers;
}
