/** Whether tests run in full size. `tests/long` sets `HUBPLANE_FULL`. */
const FULL = Deno.env.get("HUBPLANE_FULL") === "1";

/** `sample` in CI, `full` where tests run in full size. */
export function sized<T>(sample: T, full: T): T {
  return FULL ? full : sample;
}
