/** A value, or a promise of the value: awaiting a value that is there would cost a turn. */
export type NowOrLater<T> = T | Promise<T>;

/** Calls `next` with the value: at once if the value is there. */
export function chain<T, U>(
  value: NowOrLater<T>,
  next: (value: T) => NowOrLater<U>,
): NowOrLater<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Whether `value` can be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
