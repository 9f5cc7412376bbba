import { COURSES } from "./courses.ts";
import type { Flight } from "./flights.ts";
import { fillRooms } from "./rooms.ts";
import type { Run } from "./run.ts";
import type { Measured } from "./job.ts";
import type { Load } from "../scenarios.ts";

type Calls = Extract<Load, { kind: "calls" }>;

/** Sends messages, or calls methods. */
export function runCalls(run: Run, load: Calls): Measured {
  const { job, fleet, flights, window, phase } = run;
  phase(`connecting ${job.connections}`);
  fleet.grow(job.connections);
  fillRooms(run);
  fleet.runFor(200);
  window.opened();
  const course = COURSES[load.course]({ ...job, connections: fleet.connections });
  const source = "rate" in load ? new Paced(run, course, load.rate) : new Kept(run, course, load);
  phase("warming up");
  fleet.runFor(job.warmup, () => source.step());
  phase("measuring");
  flights.reset();
  window.start();
  fleet.runFor(job.window, () => source.step());
  const measured = window.end(flights.received, flights);
  source.stop();
  // Whatever is lost shows here.
  fleet.runUntil(() => flights.underWay === 0);
  return measured;
}

/** Begins so many a second. */
class Paced {
  readonly #run: Run;
  readonly #course: () => Flight;
  readonly #rate: number;
  readonly #begun = performance.now();
  #count = 0;

  constructor(run: Run, course: () => Flight, rate: number) {
    this.#run = run;
    this.#course = course;
    this.#rate = rate;
  }

  step(): void {
    const due = (performance.now() - this.#begun) / 1000 * this.#rate;
    for (; this.#count < due; this.#count++) this.#run.flights.launch(this.#course());
  }

  stop(): void {}
}

/** Keeps so many under way. */
class Kept {
  readonly #run: Run;
  readonly #course: () => Flight;
  readonly #inFlight: number;
  #stopped = false;

  constructor(run: Run, course: () => Flight, { inFlight }: { inFlight: number }) {
    this.#run = run;
    this.#course = course;
    this.#inFlight = inFlight;
  }

  step(): void {
    while (!this.#stopped && this.#run.flights.underWay < this.#inFlight) this.#launch();
  }

  stop(): void {
    this.#stopped = true;
  }

  #launch(): void {
    const flight = this.#course();
    const landed = () => {
      flight.landed?.();
      if (!this.#stopped) this.#launch();
    };
    this.#run.flights.launch({ ...flight, landed });
  }
}
