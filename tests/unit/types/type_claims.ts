/** `true` only where both are the same type; `any` equals nothing but itself. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;

/** Compiles only if its type argument is `true`. */
export function holds<_Claim extends true>(): void {}
