/** Moves the system's date by `difference` milliseconds until disposed, as an operator does. */
export function moveDate(difference: number): Disposable {
  const now = Date.now;
  Date.now = () => now() + difference;
  return { [Symbol.dispose]: () => void (Date.now = now) };
}
