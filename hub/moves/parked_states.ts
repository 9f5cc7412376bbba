/** How many bytes of states are kept. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;
/** What a state counts beside its bytes. */
const STATE_BYTES = 1024;

/** The states of connections whose clients are away, and whose homes have ended. */
export class ParkedStates implements Iterable<readonly [connectionId: string, state: Uint8Array]> {
  readonly #duration: number;
  /** The oldest comes first. */
  readonly #states = new Map<string, { readonly state: Uint8Array; readonly since: number }>();
  #bytes = 0;

  /** A state is kept for `duration` milliseconds. */
  constructor(duration: number) {
    this.#duration = duration;
  }

  get size(): number {
    return this.#states.size;
  }

  get(connectionId: string): Uint8Array | undefined {
    return this.#states.get(connectionId)?.state;
  }

  /** Keeps a state; returns whether there is room. */
  add(connectionId: string, state: Uint8Array, now: number): boolean {
    const bytes = state.length + STATE_BYTES;
    if (this.#bytes + bytes > MAXIMUM_BYTES) return false;
    this.delete(connectionId);
    this.#bytes += bytes;
    this.#states.set(connectionId, { state, since: now });
    return true;
  }

  /** Forgets a state; returns whether it was kept. */
  delete(connectionId: string): boolean {
    const parked = this.#states.get(connectionId);
    if (parked === undefined) return false;
    this.#bytes -= parked.state.length + STATE_BYTES;
    return this.#states.delete(connectionId);
  }

  /** The states whose clients have not come back in time. */
  *overdue(now: number): Generator<readonly [connectionId: string, state: Uint8Array], void> {
    for (const [connectionId, { state, since }] of this.#states) {
      if (now - since < this.#duration) return;
      yield [connectionId, state];
    }
  }

  *[Symbol.iterator](): Generator<readonly [connectionId: string, state: Uint8Array], void> {
    for (const [connectionId, { state }] of this.#states) yield [connectionId, state];
  }
}
