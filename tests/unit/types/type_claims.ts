/** `true` only where both are the same type; `any` equals nothing but itself. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;

/** Compiles only if its type argument is `true`. */
export function holds<_Claim extends true>(): void {}

/**
 * Names what a function shows to the compiler. The function never runs: `deno check` is the test, and
 * each `@ts-expect-error` in the function is a line that must not compile.
 */
export function claim(_name: string, _proof: () => void | Promise<void>): void {}
