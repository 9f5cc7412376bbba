import { Dice } from "./dice.ts";

interface Event {
  readonly time: number;
  readonly call: () => void;
}

/** Time that passes from event to event; the seed decides everything that is left to chance. */
export class Simulation {
  /** In milliseconds. */
  now = 0;
  readonly dice: Dice;
  /** What has happened, a line for each event, if somebody wants to know. */
  readonly trace: string[] | undefined;
  /** The next event is the last item; of events at the same time, the first one comes first. */
  readonly #events: Event[] = [];

  constructor(seed: number, traced: boolean) {
    this.dice = new Dice(seed);
    this.trace = traced ? [] : undefined;
  }

  /** Adds a line to the trace. */
  log(text: () => string): void {
    this.trace?.push(`${(this.now / 1000).toFixed(3)} ${text()}`);
  }

  /** Calls back at a time. */
  at(time: number, call: () => void): void {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.time ?? 0) > time) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, { time, call });
  }

  /** Lets time pass. */
  run(until: number): void {
    for (;;) {
      const next = this.#events.at(-1);
      if (next === undefined || next.time > until) break;
      this.#events.pop();
      this.now = next.time;
      next.call();
    }
    this.now = until;
  }
}

/** A process. While it is paused it does nothing, and everything afterwards; when it is dead, nothing. */
export class Host {
  readonly name: string;
  readonly simulation: Simulation;
  dead = false;
  #paused = false;
  #later: (() => void)[] = [];

  constructor(simulation: Simulation, name: string) {
    this.simulation = simulation;
    this.name = name;
  }

  /** Calls back after some time. */
  after(delay: number, call: () => void): void {
    this.simulation.at(this.simulation.now + delay, () => this.run(call));
  }

  /** Does something now, or as soon as the process can. */
  run(call: () => void): void {
    if (this.dead) return;
    if (this.#paused) this.#later.push(call);
    else call();
  }

  /** Pauses the process. */
  pause(duration: number): void {
    this.#paused = true;
    const { simulation } = this;
    simulation.at(simulation.now + duration, () => {
      this.#paused = false;
      const later = this.#later;
      this.#later = [];
      for (const call of later) this.run(call);
    });
  }
}
