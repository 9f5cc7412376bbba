import type { Clock } from "../clock.ts";

/** Resolves after `delay`, or at once when `signal` is aborted. */
export async function pause(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(delay, resolve);
  const cut = () => resolve();
  signal.addEventListener("abort", cut, { once: true });
  if (signal.aborted) resolve();
  await promise;
  signal.removeEventListener("abort", cut);
  timer[Symbol.dispose]();
}
