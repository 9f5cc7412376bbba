import { WORKLOADS } from "./workloads.ts";
import type { Message } from "./messages.ts";
import { fillRooms } from "./rooms.ts";
import type { Setup } from "./setup.ts";
import type { Measured } from "./job.ts";
import type { Load } from "../scenarios.ts";

type Calls = Extract<Load, { kind: "calls" }>;

/** Sends messages, or calls methods. */
export function runCalls(setup: Setup, load: Calls): Measured {
  const { job, connections, messages, window, phase } = setup;
  phase(`connecting ${job.connections}`);
  connections.grow(job.connections);
  fillRooms(setup);
  connections.runFor(200);
  window.opened();
  const workload = WORKLOADS[load.workload]({ ...job, connections: connections.list });
  const source = "rate" in load
    ? new FixedRate(setup, workload, load.rate)
    : new FixedInFlight(setup, workload, load);
  phase("warming up");
  connections.runFor(job.warmup, () => source.step());
  phase("measuring");
  messages.reset();
  window.start();
  connections.runFor(job.window, () => source.step());
  const measured = window.end(messages.received, messages);
  source.stop();
  // A lost message makes this wait time out.
  connections.runUntil(() => messages.inFlight === 0);
  return measured;
}

/** Sends at a fixed rate. */
class FixedRate {
  readonly #setup: Setup;
  readonly #workload: () => Message;
  readonly #rate: number;
  readonly #startedAt = performance.now();
  #count = 0;

  constructor(setup: Setup, workload: () => Message, rate: number) {
    this.#setup = setup;
    this.#workload = workload;
    this.#rate = rate;
  }

  step(): void {
    const due = (performance.now() - this.#startedAt) / 1000 * this.#rate;
    for (; this.#count < due; this.#count++) this.#setup.messages.send(this.#workload());
  }

  stop(): void {}
}

/** Keeps a fixed number of messages in flight. */
class FixedInFlight {
  readonly #setup: Setup;
  readonly #workload: () => Message;
  readonly #inFlight: number;
  #stopped = false;

  constructor(setup: Setup, workload: () => Message, { inFlight }: { inFlight: number }) {
    this.#setup = setup;
    this.#workload = workload;
    this.#inFlight = inFlight;
  }

  step(): void {
    while (!this.#stopped && this.#setup.messages.inFlight < this.#inFlight) this.#send();
  }

  stop(): void {
    this.#stopped = true;
  }

  #send(): void {
    const message = this.#workload();
    const onReceived = () => {
      message.onReceived?.();
      if (!this.#stopped) this.#send();
    };
    this.#setup.messages.send({ ...message, onReceived });
  }
}
