import type { Connection } from "./connection.ts";
import { Histogram } from "./histogram.ts";
import type { Measured } from "./job.ts";
import { fillRooms } from "./rooms.ts";
import type { Setup } from "./setup.ts";

/** Opens connections, `inFlight` at the same time, and closes each connection when it is open. */
export function runConnect({ job, connections, window, phase }: Setup, inFlight: number): Measured {
  const begun = new Map<Connection, number>();
  const local = new Histogram();
  let opened = 0;
  let next = 0;
  const begin = () => void begun.set(connections.begin(next++), performance.now());
  connections.onOpened = (connection) => {
    local.add(performance.now() - (begun.get(connection) ?? 0));
    begun.delete(connection);
    connections.end(connection);
    opened++;
    begin();
  };
  phase("warming up");
  for (let i = 0; i < inFlight; i++) begin();
  connections.runFor(job.warmup);
  phase("measuring");
  opened = 0;
  local.clear();
  window.opened();
  window.start();
  connections.runFor(job.window);
  return window.end(opened, { local, remote: new Histogram() });
}

/** Holds idle connections. */
export function runIdle(setup: Setup): Measured {
  const { job, connections, messages, window, phase } = setup;
  phase(`connecting ${job.connections}`);
  connections.grow(job.connections);
  fillRooms(setup);
  phase("waiting");
  connections.runFor(job.warmup);
  messages.reset();
  window.opened();
  window.start();
  connections.runFor(job.window);
  return window.end(job.connections, messages);
}
