import type { NodeContext } from "../bus/node_context.ts";
import { Sweep } from "../scheduling/sweep.ts";

interface Entry<V> {
  readonly value: V;
  readonly setAt: number;
}

/** The parts of a node that an {@link ExpiringMap} needs. */
export type ExpiryContext = Pick<NodeContext, "clock" | "limitedLog" | "scheduler">;

/** A map whose entries are forgotten some time after they were set. */
export class ExpiringMap<V> {
  readonly #clock: NodeContext["clock"];
  readonly #retention: number;
  readonly #most: number;
  /** The oldest comes first. */
  readonly #entries = new Map<string, Entry<V>>();
  readonly #expiry: Sweep<string>;

  /** Entries are kept for `retention` milliseconds; beyond `most` entries the oldest go earlier. */
  constructor(
    context: ExpiryContext,
    retention: number,
    most: number = Infinity,
  ) {
    this.#clock = context.clock;
    this.#retention = retention;
    this.#most = most;
    const due = { [Symbol.iterator]: () => this.#due() };
    this.#expiry = new Sweep(context, due, (key) => void this.#entries.delete(key));
  }

  /** The number of entries. */
  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Keeps `value` from now on. */
  set(key: string, value: V): void {
    // Deleted first, so that the oldest stay first.
    this.#entries.delete(key);
    this.#entries.set(key, { value, setAt: this.#clock.now() });
    if (this.#entries.size <= this.#most) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** Forgets what is due. Called by the heartbeat. */
  sweep(): void {
    this.#expiry.begin();
  }

  *#due(): Generator<string, void> {
    const due = this.#clock.now() - this.#retention;
    for (const [key, { setAt }] of this.#entries) {
      if (setAt > due) return;
      yield key;
    }
  }
}
