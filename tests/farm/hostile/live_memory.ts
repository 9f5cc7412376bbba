/**
 * What V8 and the platform hold when everything unreachable was given back, in MiB: in a process that
 * runs with `--expose-gc`.
 */
export function liveMiB(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = Deno.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}
