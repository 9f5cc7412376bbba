import { visitAll, type VisitContext } from "./visits.ts";

/** Visits a registry again and again, in bounded turns. A visit that throws is logged. */
export class Sweep<T> {
  readonly #context: VisitContext;
  readonly #items: Iterable<T>;
  readonly #visit: (item: T) => void;
  #running = false;

  constructor(context: VisitContext, items: Iterable<T>, visit: (item: T) => void) {
    this.#context = context;
    this.#items = items;
    this.#visit = visit;
  }

  /** Visits all items; without effect while the visits before are not at their end. */
  begin(): void {
    if (this.#running) return;
    const visits = visitAll(this.#context, this.#items, this.#visit);
    if (visits === undefined) return;
    this.#running = true;
    visits.finally(() => this.#running = false);
  }
}
