/** Calls a driver, which may have a mistake; whatever it throws is a rejection. */
export async function attempt<T>(call: () => Promise<T>): Promise<T> {
  return await call();
}
