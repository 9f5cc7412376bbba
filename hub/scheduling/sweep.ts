import type { Scheduler } from "./scheduler.ts";

/** Visits a registry again and again, in bounded turns. */
export class Sweep<T> {
  readonly #scheduler: Scheduler;
  readonly #items: Iterable<T>;
  readonly #visit: (item: T) => void;
  #running = false;

  constructor(scheduler: Scheduler, items: Iterable<T>, visit: (item: T) => void) {
    this.#scheduler = scheduler;
    this.#items = items;
    this.#visit = visit;
  }

  /** Visits all items; without effect while the visits before are not at their end. */
  begin(): void {
    if (this.#running) return;
    const visits = this.#scheduler.walk(this.#items, this.#visit);
    if (visits === undefined) return;
    this.#running = true;
    visits.finally(() => this.#running = false);
  }
}
