import { startBus } from "./buses.ts";
import { Child } from "./children.ts";
import type { Subject } from "./subjects/subject.ts";
import { ROOM_SIZE } from "./load/workloads.ts";
import type { Job, Measured, Report } from "./load/job.ts";
import type { Options } from "./options.ts";
import type { Scenario } from "./scenarios.ts";

/** The number of connections, unless the scenario or the user gives another. */
const CONNECTIONS = 1000;

/** With `--pin`, the cores of the nodes and of everything else. */
const NODE_CORES = "0";
const OTHER_CORES = "1";

/** The longest silence of the load beyond the time that it was told to run, in milliseconds. */
const SILENCE = 60_000;

/** One run of one subject, with its own bus, nodes and load. */
export interface Run {
  readonly subject: Subject;
  readonly scenario: Scenario;
  readonly options: Options;
  /** Called with the name of each phase. */
  readonly phase: (name: string) => void;
}

/** The number of connections that a scenario holds. */
export function connectionsOf(scenario: Scenario, options: Options): number {
  return scenario.exactConnections ?? options.connections ?? scenario.connections ?? CONNECTIONS;
}

/** Starts the processes of a run and measures. They have ended when the promise settles. */
export async function runOnce({ subject, scenario, options, phase }: Run): Promise<Measured> {
  const { nodes: nodeCount, pin, profile, warmup, payloadBytes } = options;
  const cores = pin ? OTHER_CORES : undefined;
  await using processes = new AsyncDisposableStack();
  phase("starting");
  const bus = processes.use(await startBus(options.bus, cores));
  // Each node is a process, or all nodes are workers of one process.
  const workers = options.bus === "broadcast" ? nodeCount : undefined;
  const nodes: Child[] = [];
  for (let i = 0; i < (workers === undefined ? nodeCount : 1); i++) {
    const command = subject.start(bus.url, profile, workers);
    nodes.push(processes.use(new Child({ ...command, cores: pin ? NODE_CORES : undefined })));
  }
  const ports: number[] = [];
  for (const node of nodes) {
    for (let i = 0; i < (workers ?? 1); i++) ports.push(Number(await node.nextLine()));
  }
  const connections = connectionsOf(scenario, options);
  const job: Job = {
    dialect: subject.dialect,
    load: scenario.load,
    ports,
    nodes: nodes.map(({ pid }) => pid),
    bus: bus.pid,
    connections,
    rooms: options.rooms ?? (usesRooms(scenario) ? Math.ceil(connections / ROOM_SIZE) : 0),
    senders: options.senders ?? nodeCount,
    payloadBytes,
    warmup,
    // A low rate leaves little to measure.
    window: options.window * ("rate" in scenario.load ? 2 : 1),
  };
  return await runLoad(processes.use(startLoad(job, cores)), job, phase);
}

function usesRooms({ load }: Scenario): boolean {
  return load.kind === "soak" || (load.kind === "calls" && load.workload === "room");
}

function startLoad(job: Job, cores: string | undefined): Child {
  const program = new URL("load/main.ts", import.meta.url).pathname;
  return new Child({
    command: Deno.execPath(),
    // Calling the C library and reading /proc of other processes needs all permissions.
    args: ["run", "--allow-all", program, JSON.stringify(job)],
    cores,
  });
}

async function runLoad(load: Child, job: Job, phase: Run["phase"]): Promise<Measured> {
  const timeout = job.warmup + job.window + SILENCE;
  while (true) {
    const report: Report = JSON.parse(await load.nextLine(timeout));
    if ("measured" in report) return report.measured;
    phase(report.phase);
  }
}
