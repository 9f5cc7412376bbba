import { setImmediate } from "node:timers";
import { type Clock, systemClock } from "../clock.ts";

/** Something that waits for the end of the turn. */
export interface TurnListener {
  /** The turn in which the listener asked has ended. */
  turnEnded(): void;
}

/** Something that may have too much to send. */
interface Writable {
  readonly congested: boolean;
}

/** How many writes a turn makes before its end. */
const MAXIMUM_IMMEDIATE_WRITES = 16;

/**
 * The pauses before each look at something congested, in milliseconds; the last pause repeats. Native
 * sockets do not say when they have drained: most drain very soon, and looks at slow sockets must cost
 * little.
 */
const PAUSES = [1, 4, 16, 50] as const;

/**
 * Decides when queued work is done. A turn is everything that the event loop has at hand. All
 * connections of a server share one scheduler, so that asking for the end of the turn costs a push.
 */
export class Scheduler {
  readonly #clock: Pick<Clock, "after">;
  readonly #atEnd: (endTurn: () => void) => void;
  readonly #endTurn = () => this.#end();
  #turn = 1;
  #counting = false;
  #immediateWrites = 0;
  #waiting: TurnListener[] = [];
  #carriers: TurnListener[] = [];
  readonly #congested = new Map<Writable, PromiseWithResolvers<void>>();
  /** All congested writables with the same pause share one timer. */
  readonly #polled: readonly Set<Writable>[] = PAUSES.map(() => new Set());

  /** `atEnd` calls back once, at the end of the turn. */
  constructor(
    clock: Pick<Clock, "after"> = systemClock,
    atEnd: (endTurn: () => void) => void = setImmediate,
  ) {
    this.#clock = clock;
    this.#atEnd = atEnd;
  }

  /** The number of this turn. A turn gets a number when the number or the end of the turn is asked for. */
  get turn(): number {
    this.#count();
    return this.#turn;
  }

  /**
   * Counts a write that does not wait for the end of the turn, and says whether the write is allowed.
   * After several such writes it is cheaper to read on: the next frames can join the queued ones.
   */
  takeImmediateWrite(): boolean {
    this.#count();
    return this.#immediateWrites++ < MAXIMUM_IMMEDIATE_WRITES;
  }

  /** Calls `listener.turnEnded()` at the end of this turn. */
  atTurnEnd(listener: TurnListener): void {
    this.#count();
    this.#waiting.push(listener);
  }

  /** Calls `listener.turnEnded()` after all listeners of {@link atTurnEnd}, to send what they wrote. */
  afterFlush(listener: TurnListener): void {
    this.#count();
    this.#carriers.push(listener);
  }

  /** Resolves when `writable` is not congested any more. */
  untilWritable(writable: Writable): Promise<void> {
    let wait = this.#congested.get(writable);
    if (wait === undefined) {
      this.#congested.set(writable, wait = Promise.withResolvers());
      this.#poll(writable, 0);
    }
    return wait.promise;
  }

  #count(): void {
    if (this.#counting) return;
    this.#counting = true;
    this.#atEnd(this.#endTurn);
  }

  #end(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#turn++;
    this.#immediateWrites = 0;
    this.#counting = false;
    for (const listener of waiting) listener.turnEnded();
    const carriers = this.#carriers;
    this.#carriers = [];
    for (const carrier of carriers) carrier.turnEnded();
  }

  #poll(writable: Writable, step: number): void {
    if (this.#polled[step]?.add(writable).size !== 1) return;
    this.#clock.after(PAUSES[step] ?? 0, () => this.#look(step));
  }

  #look(step: number): void {
    const writables = [...this.#polled[step] ?? []];
    this.#polled[step]?.clear();
    for (const writable of writables) {
      if (writable.congested) this.#poll(writable, Math.min(step + 1, PAUSES.length - 1));
      else {
        this.#congested.get(writable)?.resolve();
        this.#congested.delete(writable);
      }
    }
  }
}
