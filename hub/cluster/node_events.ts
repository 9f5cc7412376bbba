import type { Scheduler } from "../scheduling/scheduler.ts";
import type { ServerNodeEvent } from "./node.ts";

/** The most nodes whose changes wait for listeners. */
const MAXIMUM_WAITING = 2000;

/**
 * Tells listeners of changes, in bounded turns. Changes of a node that come faster than listeners can be
 * told are told as one.
 */
export class NodeEvents {
  readonly #scheduler: Pick<Scheduler, "spend">;
  readonly #listeners = new Set<{ readonly call: (event: ServerNodeEvent) => void }>();
  /** The changes that wait, by node; the oldest comes first. */
  readonly #waiting = new Map<string, ServerNodeEvent>();
  #telling = false;

  constructor(scheduler: Pick<Scheduler, "spend">) {
    this.#scheduler = scheduler;
  }

  /** Adds a listener, which must not throw, until the returned object is disposed. */
  listen(call: (event: ServerNodeEvent) => void): Disposable {
    const entry = { call };
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  /** Tells every listener of a change: at once, while the turn has time and no earlier change waits. */
  tell(event: ServerNodeEvent): void {
    if (this.#listeners.size === 0) return;
    this.#add(event);
    if (!this.#telling) void this.#tell();
  }

  #add(event: ServerNodeEvent): void {
    const { node, state } = event;
    const waiting = this.#waiting.get(node);
    if (waiting === undefined) {
      const [oldest = node] = this.#waiting.keys();
      if (this.#waiting.size >= MAXIMUM_WAITING) this.#waiting.delete(oldest);
      this.#waiting.set(node, event);
    } else if (waiting.before === state) this.#waiting.delete(node);
    else this.#waiting.set(node, { node, state, before: waiting.before });
  }

  async #tell(): Promise<void> {
    this.#telling = true;
    // Changes that are added on the way are visited too.
    for (const [node, event] of this.#waiting) {
      this.#waiting.delete(node);
      for (const { call } of [...this.#listeners]) call(event);
      const nextTurn = this.#scheduler.spend();
      if (nextTurn !== undefined) await nextTurn;
    }
    this.#telling = false;
  }
}
