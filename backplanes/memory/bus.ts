import { BackplaneUnavailableError } from "../errors.ts";

/** A backplane, as its wire sees it. */
export interface Listener {
  /** Hands a message over; returns whether anyone here listens. */
  receive(fullName: string, payload: Uint8Array): boolean;
  lost(error: Error): void;
  found(): void;
}

interface Message {
  readonly from: Listener;
  readonly fullName: string;
  readonly payload: Uint8Array;
  resolve(reached: number): void;
  reject(error: Error): void;
}

/** Carries messages between the backplanes of one bus, in the order of their publishing. */
export class Wire {
  readonly #listeners = new Set<Listener>();
  #queue: Message[] = [];
  #delivering: Message[] = [];
  #scheduled = false;
  #running = true;

  get running(): boolean {
    return this.#running;
  }

  get used(): boolean {
    return this.#listeners.size > 0;
  }

  join(listener: Listener): void {
    this.#listeners.add(listener);
  }

  leave(listener: Listener): void {
    this.#listeners.delete(listener);
  }

  send(message: Message): void {
    this.#queue.push(message);
    this.#schedule();
  }

  set(running: boolean): void {
    if (running === this.#running) return;
    this.#running = running;
    if (running) {
      for (const listener of [...this.#listeners]) listener.found();
      return;
    }
    // A message that some backplanes have heard is rejected too: others may lack it.
    const error = unavailable(true);
    for (const message of this.#delivering.splice(0)) message.reject(error);
    for (const message of this.#queue.splice(0)) message.reject(error);
    for (const listener of [...this.#listeners]) listener.lost(error);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#deliver());
  }

  /** Messages that handlers publish meanwhile wait for the next microtask: delivery is never re-entrant. */
  #deliver(): void {
    this.#delivering = this.#queue;
    this.#queue = [];
    for (const message of this.#delivering) {
      let reached = 0;
      for (const listener of [...this.#listeners]) {
        if (listener === message.from) continue;
        if (listener.receive(message.fullName, message.payload)) reached++;
      }
      message.resolve(reached);
    }
    this.#delivering = [];
    this.#scheduled = false;
    if (this.#queue.length > 0) this.#schedule();
  }
}

/** Why a stopped bus cannot be used; `handedOver` is whether a message may have reached somebody. */
export function unavailable(handedOver: boolean): BackplaneUnavailableError {
  return new BackplaneUnavailableError("Cannot reach the memory bus: it is stopped", {
    handedOver,
  });
}

/**
 * A bus that backplanes of one process share, and that a test can stop and start.
 *
 * @example
 * ```ts
 * import { MemoryBackplane, MemoryBus } from "@hubplane/hubplane/memory";
 *
 * const bus = new MemoryBus();
 * await using node = new MemoryBackplane(bus);
 * bus.stop();
 * console.assert(node.status === "reconnecting");
 * const refused = await node.publish("news", new Uint8Array()).catch((error) => error);
 * console.assert(refused.name === "BackplaneUnavailableError");
 * bus.start();
 * ```
 */
export class MemoryBus {
  /**
   * Carries the messages; for backplanes on the bus alone.
   *
   * @internal
   */
  readonly wire: Wire = new Wire();

  /** Whether the bus carries messages now; a new one does. */
  get running(): boolean {
    return this.wire.running;
  }

  /**
   * Simulates an outage: every backplane on the bus becomes `reconnecting` (one opened meanwhile is
   * `connecting`), publishes reject with `BackplaneUnavailableError`, also those under way, and a
   * subscribe waits. Idempotent.
   */
  stop(): void {
    this.wire.set(false);
  }

  /**
   * Ends an outage: every backplane on the bus has its subscriptions again, then becomes `open`, and
   * reports the outage as a gap. Idempotent.
   */
  start(): void {
    this.wire.set(true);
  }
}
