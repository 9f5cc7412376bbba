import { cpuMicroseconds, residentBytes, sumOf, userMicroseconds } from "../processes.ts";
import type { CpuTimes, Job, Measured } from "./job.ts";
import type { Messages } from "./messages.ts";

/** Measures the processes over a period of time. */
export class Window {
  readonly #job: Job;
  readonly #before: number;
  #open = 0;
  #startedAt = 0;
  #started: CpuTimes = { nodes: 0, user: 0, bus: 0, load: 0 };

  /** Must be called before there is any load. */
  constructor(job: Job) {
    this.#job = job;
    this.#before = sumOf(residentBytes, job.nodes);
  }

  /** Called when all connections are open and idle. */
  opened(): void {
    this.#open = sumOf(residentBytes, this.#job.nodes);
  }

  /** Starts to measure. */
  start(): void {
    this.#startedAt = performance.now();
    this.#started = this.#cpu();
  }

  /** Ends the window, in which `count` messages arrived, calls ended or connections opened. */
  end(count: number, { local, remote }: Pick<Messages, "local" | "remote">): Measured {
    const milliseconds = performance.now() - this.#startedAt;
    const { nodes, user, bus, load } = this.#cpu();
    const started = this.#started;
    return {
      seconds: milliseconds / 1000,
      count,
      cpu: {
        nodes: nodes - started.nodes,
        user: user - started.user,
        bus: bus - started.bus,
        load: load - started.load,
      },
      rss: {
        before: this.#before,
        open: this.#open,
        end: sumOf(residentBytes, this.#job.nodes),
      },
      connections: this.#job.connections,
      local: { p50: local.quantile(0.5), p99: local.quantile(0.99) },
      remote: { p50: remote.quantile(0.5), p99: remote.quantile(0.99) },
    };
  }

  #cpu(): CpuTimes {
    const { nodes, bus } = this.#job;
    return {
      nodes: sumOf(cpuMicroseconds, nodes),
      user: sumOf(userMicroseconds, nodes),
      bus: bus === undefined ? 0 : cpuMicroseconds(bus),
      load: cpuMicroseconds(Deno.pid),
    };
  }
}
