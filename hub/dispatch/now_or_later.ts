/** A value that may have to be waited for, where waiting when there is no need would cost a turn. */
export type NowOrLater<T> = T | Promise<T>;

/** What `next` makes of `value`, at once if it is there. */
export function then<T, U>(
  value: NowOrLater<T>,
  next: (value: T) => NowOrLater<U>,
): NowOrLater<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Whether `value` is something to wait for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
