/** How far the date is set back, in milliseconds. */
const HOUR = 3_600_000;

/** Sets the date of this thread back by an hour until disposed, as an operator does. */
export function setDateBack(): Disposable {
  const now = Date.now;
  Date.now = () => now() - HOUR;
  return { [Symbol.dispose]: () => void (Date.now = now) };
}
