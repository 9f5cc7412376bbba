/**
 * The load, in a process of its own: `load/main.ts JOB`, see `job.ts`.
 *
 * @module
 */
import { runCalls } from "./calls.ts";
import type { Job, Measured, Report } from "./job.ts";
import { runConnect, runIdle } from "./openings.ts";
import { prepare, type Setup } from "./setup.ts";
import { runSoak } from "./soak.ts";

const encoder = new TextEncoder();

function report(line: Report): void {
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(line)}\n`));
}

function perform(setup: Setup): Measured {
  const { load } = setup.job;
  switch (load.kind) {
    case "calls":
      return runCalls(setup, load);
    case "connect":
      return runConnect(setup, load.inFlight);
    case "idle":
      return runIdle(setup);
    case "soak":
      return runSoak(setup);
  }
}

const job: Job = JSON.parse(Deno.args[0] ?? "");
report({ measured: perform(prepare(job, (phase) => report({ phase }))) });
