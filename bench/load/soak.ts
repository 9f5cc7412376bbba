import { residentBytes, sumOf } from "../processes.ts";
import { slope } from "../statistics.ts";
import { COURSES } from "./courses.ts";
import type { Measured } from "./job.ts";
import { fillRooms } from "./rooms.ts";
import type { Run } from "./run.ts";

/** Rates of what comes and goes, in a second. */
const MESSAGE_RATE = 500;
const VISIT_RATE = 100;

/** How often memory is looked at, in milliseconds. */
const SAMPLE_INTERVAL = 1000;

/**
 * Messages to rooms, while visitors come: each opens a connection, joins a group of its own, sends a
 * message to it, gets that, and goes.
 */
export function runSoak(run: Run): Measured {
  const { job, fleet, flights, window, phase } = run;
  phase(`connecting ${job.connections}`);
  fleet.grow(job.connections);
  fillRooms(run);
  window.opened();
  const course = COURSES.room({ ...job, connections: fleet.connections });
  const begun = performance.now();
  const messages = paced(MESSAGE_RATE, begun, () => flights.launch(course()));
  const visits = paced(VISIT_RATE, begun, visiting(run));
  const samples: [seconds: number, bytes: number][] = [];
  let measuring = false;
  const sample = paced(1000 / SAMPLE_INTERVAL, begun, () => {
    const seconds = Math.round((performance.now() - begun) / 1000);
    const bytes = sumOf(residentBytes, job.nodes);
    phase(`${measuring ? "measuring" : "warming up"} ${seconds} s, ${bytes >> 20} MiB`);
    if (measuring) samples.push([seconds, bytes]);
  });
  const step = () => {
    messages();
    visits();
    sample();
  };
  fleet.runFor(job.warmup, step);
  measuring = true;
  flights.reset();
  window.start();
  fleet.runFor(job.window, step);
  return { ...window.end(flights.received, flights), slope: slope(samples) };
}

/** Calls `act` so many times a second when it is asked often enough. */
function paced(rate: number, begun: number, act: () => void): () => void {
  let count = 0;
  return () => {
    for (; count < (performance.now() - begun) / 1000 * rate; count++) act();
  };
}

function visiting({ fleet, flights }: Run): () => void {
  let visitors = 0;
  let opened = 0;
  fleet.onOpened = (from) => {
    const name = `visit-${opened++}`;
    const leave = () => fleet.end(from);
    const send = () =>
      flights.launch({ from, call: { method: "group", name }, receipts: 1, landed: leave });
    flights.launch({ from, call: { method: "join", name }, receipts: 1, landed: send });
  };
  return () => void fleet.begin(visitors++);
}
