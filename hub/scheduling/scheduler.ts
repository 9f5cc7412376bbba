import { setImmediate } from "node:timers";
import { type Clock, systemClock } from "../clock.ts";
import { Congestion, type Writable } from "./congestion.ts";
import { Rests } from "./rests.ts";

/** Something that waits for the end of the turn. */
export interface TurnListener {
  /** The turn in which the listener asked has ended. */
  turnEnded(): void;
}

/** How many writes a turn makes before its end. */
const MAXIMUM_IMMEDIATE_WRITES = 16;

/** How many steps of work that can wait a turn does, and for how many milliseconds. */
const MAXIMUM_STEPS = 256;
const MAXIMUM_TIME = 5;
/** After how many short steps a walk looks at the time. */
const STEPS_BETWEEN_LOOKS = 16;
/** The same for work that counts each step, and for messages. */
const SPENT_BETWEEN_LOOKS = 4;

/**
 * Decides when queued work is done. A turn is everything that the event loop has at hand. All
 * connections of a server share one scheduler, so that asking for the end of the turn costs a push.
 *
 * **Bounded turns**: work that is never at an end by itself ({@link spend}), walks over registries
 * ({@link walk}) and flushes do some 256 steps or 5 ms in a turn, and the messages of all clients
 * ({@link takeRead}) take 5 ms. The remaining work waits for the next turn, so that the event loop serves
 * everybody in between, or until the event loop has slept ({@link Rests}).
 */
export class Scheduler {
  readonly #clock: Pick<Clock, "after" | "now">;
  readonly #atEnd: (endTurn: () => void) => void;
  readonly #endTurn = () => this.#end();
  readonly #endRest = () => this.#count();
  #turn = 1;
  #counting = false;
  #immediateWrites = 0;
  #waiting: TurnListener[] = [];
  #carriers: TurnListener[] = [];
  /** The steps of this turn, and when the first of them began. */
  #steps = 0;
  #stepsBegan = 0;
  /** The messages that this turn has read, and whether it has no time for more. */
  #reads = 0;
  #exhausted = false;
  /** Work that goes on in a later turn; the longest wait comes first. */
  #postponed: (() => void)[] = [];
  readonly #rests: Rests;
  readonly #congestion: Congestion;

  /** `atEnd` calls back once, at the end of the turn; `sleep` is that of {@link Rests}. */
  constructor(
    clock: Pick<Clock, "after" | "now"> = systemClock,
    atEnd: (endTurn: () => void) => void = setImmediate,
    sleep?: (wake: () => void) => () => void,
  ) {
    this.#clock = clock;
    this.#atEnd = atEnd;
    this.#rests = new Rests(clock, sleep);
    this.#congestion = new Congestion(clock, (items, visit) => this.walk(items, visit));
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

  /**
   * Counts one step of work that would go on without waiting, such as an item of a stream that is in
   * memory. Returns nothing while the turn has time, else a promise: the work goes on when it resolves.
   * All such work of a server shares the time of a turn.
   */
  spend(): Promise<void> | undefined {
    this.#begin();
    // A look at the clock costs as much as a small item.
    const looks = (this.#steps + 1) % SPENT_BETWEEN_LOOKS === 0;
    const exhausted = looks ? this.#spent(1) : ++this.#steps >= MAXIMUM_STEPS;
    return exhausted || this.#postponed.length > 0 ? this.nextTurn() : undefined;
  }

  /**
   * Counts a message that is to be read; returns whether the turn has time for it. All clients of a server
   * share the time of a turn. Who does not get any goes on with {@link postpone}.
   */
  takeRead(): boolean {
    if (this.#exhausted) return false;
    this.#count();
    if (this.#reads++ % SPENT_BETWEEN_LOOKS !== 0) return true;
    const now = this.#clock.now();
    this.#begin(now);
    this.#steps++;
    this.#exhausted = now - this.#stepsBegan >= MAXIMUM_TIME;
    return !this.#exhausted;
  }

  /** Notes that a client sends more than turns have time for. */
  flooded(): void {
    this.#rests.flooded();
  }

  /**
   * Visits every item, those that are added on the way too. All walks of a server share the time of a
   * turn, but each visits some items at once. Returns nothing if all were visited in this turn, else a
   * promise that rejects with what `visit` throws.
   */
  walk<T>(items: Iterable<T>, visit: (item: T) => void): Promise<void> | undefined {
    const iterator = items[Symbol.iterator]();
    if (this.#visit(iterator, visit)) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const goOn = () => {
      try {
        if (this.#visit(iterator, visit)) resolve();
        else this.postpone(goOn);
      } catch (error) {
        reject(error);
      }
    };
    this.#rests.postponed();
    this.postpone(goOn);
    return promise;
  }

  /** Resolves in a later turn, after those who have waited longer. */
  nextTurn(): Promise<void> {
    this.#rests.postponed();
    return new Promise((resolve) => this.postpone(resolve));
  }

  /** Calls `goOn` in a later turn, after those who have waited longer. */
  postpone(goOn: () => void): void {
    this.#count();
    this.#postponed.push(goOn);
  }

  /** Resolves when `writable` is not congested any more, after `timeout`, or at {@link endWait}. */
  untilWritable(writable: Writable, timeout: number = Infinity): Promise<void> {
    return this.#congestion.until(writable, timeout);
  }

  /** Ends the waits for `writable`, because it has ended. */
  endWait(writable: Writable): void {
    this.#congestion.end(writable);
  }

  /** Lets the event loop sleep no more; work that is left goes on turn by turn. */
  close(): void {
    this.#rests.close();
  }

  #count(): void {
    if (this.#counting) return;
    this.#counting = true;
    this.#atEnd(this.#endTurn);
  }

  #end(): void {
    this.#turn++;
    this.#immediateWrites = 0;
    this.#counting = false;
    const { resting } = this.#rests;
    const busy = this.#exhausted || this.#postponed.length > 0;
    if (!resting) {
      this.#steps = this.#reads = 0;
      this.#exhausted = false;
    }
    this.#endWaits();
    const carriers = this.#carriers;
    this.#carriers = [];
    for (const carrier of carriers) carrier.turnEnded();
    if (!resting) this.#goOn();
    if (!resting && this.#rests.turnEnded(busy, this.#endRest)) this.#exhausted = true;
    const goesOn = this.#postponed.length > 0 && !this.#rests.resting;
    if (goesOn || this.#waiting.length > 0) this.#count();
  }

  /** Lets postponed work go on, as much as the turn has time for. */
  #goOn(): void {
    const postponed = this.#postponed;
    if (postponed.length === 0) return;
    this.#postponed = [];
    this.#begin();
    let gone = 0;
    do postponed[gone++]?.(); while (!this.#spent(1) && gone < postponed.length);
    this.#postponed = postponed.slice(gone).concat(this.#postponed);
  }

  /** Steps begin, or have begun at `at`; the time of a turn is counted from its first step. */
  #begin(at?: number): void {
    this.#count();
    if (this.#steps === 0) this.#stepsBegan = at ?? this.#clock.now();
  }

  /** Counts steps; returns whether the turn has no time for more. */
  #spent(steps: number): boolean {
    this.#steps += steps;
    return this.#steps >= MAXIMUM_STEPS || this.#clock.now() - this.#stepsBegan >= MAXIMUM_TIME;
  }

  /** Visits as many items as the turn has time for; returns whether there are no more. */
  #visit<T>(iterator: Iterator<T>, visit: (item: T) => void): boolean {
    const began = this.#clock.now();
    for (;;) {
      for (let steps = 0; steps < STEPS_BETWEEN_LOOKS; steps++) {
        const { done, value } = iterator.next();
        if (done) return true;
        visit(value);
      }
      this.#begin(began);
      if (this.#spent(STEPS_BETWEEN_LOOKS)) return false;
    }
  }

  /** Calls the listeners that wait for the end of the turn, as many as the time allows. */
  #endWaits(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const began = this.#clock.now();
    let called = 0;
    for (const listener of waiting) {
      listener.turnEnded();
      if (++called % MAXIMUM_STEPS !== 0 || this.#clock.now() - began < MAXIMUM_TIME) continue;
      this.#waiting = waiting.slice(called).concat(this.#waiting);
      return;
    }
  }
}
