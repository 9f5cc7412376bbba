import { cpuMicroseconds, residentBytes, sumOf, userMicroseconds } from "../processes.ts";
import type { CpuTimes, Job, Measured } from "./job.ts";
import type { Flights } from "./flights.ts";

/** Measures the processes over a stretch of time. */
export class Window {
  readonly #job: Job;
  readonly #before: number;
  #open = 0;
  #startedAt = 0;
  #started: CpuTimes = { nodes: 0, user: 0, bus: 0, load: 0 };

  /** To be made before there is any load. */
  constructor(job: Job) {
    this.#job = job;
    this.#before = sumOf(residentBytes, job.nodes);
  }

  /** All connections are open and at rest. */
  opened(): void {
    this.#open = sumOf(residentBytes, this.#job.nodes);
  }

  /** The window begins. */
  start(): void {
    this.#startedAt = performance.now();
    this.#started = this.#cpu();
  }

  /** The window ends: `count` things happened in it. */
  end(count: number, { local, remote }: Pick<Flights, "local" | "remote">): Measured {
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
