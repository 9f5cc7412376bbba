/**
 * The load, in a process of its own: `load/main.ts JOB`, see `job.ts`.
 *
 * @module
 */
import { runCalls } from "./calls.ts";
import type { Job, Measured, Report } from "./job.ts";
import { runConnect, runIdle } from "./openings.ts";
import { prepare, type Run } from "./run.ts";
import { runSoak } from "./soak.ts";

const encoder = new TextEncoder();

function report(line: Report): void {
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(line)}\n`));
}

function perform(run: Run): Measured {
  const { load } = run.job;
  switch (load.kind) {
    case "calls":
      return runCalls(run, load);
    case "connect":
      return runConnect(run, load.inFlight);
    case "idle":
      return runIdle(run);
    case "soak":
      return runSoak(run);
  }
}

const job: Job = JSON.parse(Deno.args[0] ?? "");
report({ measured: perform(prepare(job, (phase) => report({ phase }))) });
