import { residentBytes, sumOf } from "../processes.ts";
import { slope } from "../statistics.ts";
import { WORKLOADS } from "./workloads.ts";
import type { Measured } from "./job.ts";
import { fillRooms } from "./rooms.ts";
import type { Setup } from "./setup.ts";

/** Messages and visitors a second. */
const MESSAGE_RATE = 500;
const VISIT_RATE = 100;

/** The interval of memory samples, in milliseconds. */
const SAMPLE_INTERVAL = 1000;

/**
 * Sends messages to rooms while visitors come and go: each visitor opens a connection, joins its own
 * group, sends a message to the group, receives it, and closes the connection.
 */
export function runSoak(setup: Setup): Measured {
  const { job, connections, messages, window, phase } = setup;
  phase(`connecting ${job.connections}`);
  connections.grow(job.connections);
  fillRooms(setup);
  window.opened();
  const workload = WORKLOADS.room({ ...job, connections: connections.list });
  const begun = performance.now();
  const sendMessages = paced(MESSAGE_RATE, begun, () => messages.send(workload()));
  const startVisits = paced(VISIT_RATE, begun, visiting(setup));
  const samples: [seconds: number, bytes: number][] = [];
  let measuring = false;
  const sample = paced(1000 / SAMPLE_INTERVAL, begun, () => {
    const seconds = Math.round((performance.now() - begun) / 1000);
    const bytes = sumOf(residentBytes, job.nodes);
    phase(`${measuring ? "measuring" : "warming up"} ${seconds} s, ${bytes >> 20} MiB`);
    if (measuring) samples.push([seconds, bytes]);
  });
  const step = () => {
    sendMessages();
    startVisits();
    sample();
  };
  connections.runFor(job.warmup, step);
  measuring = true;
  messages.reset();
  window.start();
  connections.runFor(job.window, step);
  return { ...window.end(messages.received, messages), slope: slope(samples) };
}

/** Returns a function that, called often, calls `act` `rate` times a second. */
function paced(rate: number, begun: number, act: () => void): () => void {
  let count = 0;
  return () => {
    for (; count < (performance.now() - begun) / 1000 * rate; count++) act();
  };
}

function visiting({ connections, messages }: Setup): () => void {
  let visitors = 0;
  let opened = 0;
  connections.onOpened = (from) => {
    const name = `visit-${opened++}`;
    const leave = () => connections.end(from);
    const send = () =>
      messages.send({ from, call: { method: "group", name }, receipts: 1, onReceived: leave });
    messages.send({ from, call: { method: "join", name }, receipts: 1, onReceived: send });
  };
  return () => void connections.begin(visitors++);
}
