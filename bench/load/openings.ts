import type { Connection } from "./connection.ts";
import { Histogram } from "./histogram.ts";
import type { Measured } from "./job.ts";
import { fillRooms } from "./rooms.ts";
import type { Run } from "./run.ts";

/** Opens connections, as many at a time, and closes each once it is open. */
export function runConnect({ job, fleet, window, phase }: Run, inFlight: number): Measured {
  const begun = new Map<Connection, number>();
  const local = new Histogram();
  let opened = 0;
  let next = 0;
  const begin = () => void begun.set(fleet.begin(next++), performance.now());
  fleet.onOpened = (connection) => {
    local.add(performance.now() - (begun.get(connection) ?? 0));
    begun.delete(connection);
    fleet.end(connection);
    opened++;
    begin();
  };
  phase("warming up");
  for (let i = 0; i < inFlight; i++) begin();
  fleet.runFor(job.warmup);
  phase("measuring");
  opened = 0;
  local.clear();
  window.opened();
  window.start();
  fleet.runFor(job.window);
  return window.end(opened, { local, remote: new Histogram() });
}

/** Holds connections on which nothing happens. */
export function runIdle(run: Run): Measured {
  const { job, fleet, flights, window, phase } = run;
  phase(`connecting ${job.connections}`);
  fleet.grow(job.connections);
  fillRooms(run);
  phase("waiting");
  fleet.runFor(job.warmup);
  flights.reset();
  window.opened();
  window.start();
  fleet.runFor(job.window);
  return window.end(job.connections, flights);
}
