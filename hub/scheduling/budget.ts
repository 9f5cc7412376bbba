import { HubError } from "../definition/errors.ts";

/** How many things of a kind a client may have. */
export interface BudgetLimit {
  /** The largest amount. */
  readonly most: number;
  /** The things, for an error: `groups`. */
  readonly things: string;
  /** The option that sets the limit. */
  readonly option: string;
}

/** The amounts that one client has, of each kind that is limited. */
export class Budget<K extends string> {
  readonly #limits: Readonly<Record<K, BudgetLimit>>;
  readonly #used: { [_ in K]?: number } = {};

  /** All clients share `limits`. */
  constructor(limits: Readonly<Record<K, BudgetLimit>>) {
    this.#limits = limits;
  }

  /** The amount that the client has. */
  used(kind: K): number {
    return this.#used[kind] ?? 0;
  }

  /** Adds to the amount, unless that would exceed the limit; returns whether it has. */
  take(kind: K, amount = 1): boolean {
    const used = this.used(kind) + amount;
    if (used > this.#limits[kind].most) return false;
    this.#used[kind] = used;
    return true;
  }

  /** Gives back what was taken. */
  give(kind: K, amount = 1): void {
    this.#used[kind] = this.used(kind) - amount;
  }

  /** The error of a client that has as much as the limit allows. */
  exceeded(kind: K): HubError {
    return limitReached(this.#limits[kind]);
  }
}

/** The error of a client that has as much of something as its limit allows. */
export function limitReached({ most, things, option }: BudgetLimit): HubError {
  return new HubError(`A connection has at most ${most} ${things} (${option}).`);
}

/** The things that are limited for each connection. */
export type ConnectionBudgetKind = "bytes" | "commands";

/** The amounts that one connection has. */
export type ConnectionBudget = Budget<ConnectionBudgetKind>;
