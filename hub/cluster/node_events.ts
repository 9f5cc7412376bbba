import { visitAll, type VisitContext } from "../scheduling/visits.ts";
import type { ServerNodeEvent } from "./node.ts";

/** The most nodes whose changes wait for listeners. */
const MAXIMUM_WAITING = 2000;

/**
 * Tells listeners of changes, in bounded turns. Changes of a node that come faster than listeners can be
 * told are told as one.
 */
export class NodeEvents {
  readonly #context: VisitContext;
  readonly #listeners = new Set<{ readonly call: (event: ServerNodeEvent) => void }>();
  /** The changes that wait, by node; the oldest comes first. */
  readonly #waiting = new Map<string, ServerNodeEvent>();
  #telling = false;

  constructor(context: VisitContext) {
    this.#context = context;
  }

  /** Adds a listener until the returned object is disposed. */
  listen(call: (event: ServerNodeEvent) => void): Disposable {
    const entry = { call };
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  /** Tells every listener of a change: at once, unless earlier ones wait. */
  tell(event: ServerNodeEvent): void {
    if (this.#listeners.size === 0) return;
    const { node, state } = event;
    const waiting = this.#waiting.get(node);
    const before = waiting === undefined ? event.before : waiting.before;
    if (waiting === undefined && this.#waiting.size >= MAXIMUM_WAITING) {
      const [oldest = ""] = this.#waiting.keys();
      this.#waiting.delete(oldest);
    }
    if (waiting !== undefined && before === state) this.#waiting.delete(node);
    else this.#waiting.set(node, { node, state, before });
    if (this.#telling) return;
    this.#telling = true;
    const telling = visitAll(this.#context, this.#take(), (event) => {
      for (const { call } of [...this.#listeners]) call(event);
    });
    if (telling === undefined) this.#telling = false;
    else telling.finally(() => this.#telling = false);
  }

  *#take(): Generator<ServerNodeEvent, void> {
    for (const [node, event] of this.#waiting) {
      this.#waiting.delete(node);
      yield event;
    }
  }
}
