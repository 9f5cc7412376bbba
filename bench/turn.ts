import { startBus } from "./buses.ts";
import { Child } from "./children.ts";
import type { Contestant } from "./contestants/contestant.ts";
import { ROOM_SIZE } from "./load/courses.ts";
import type { Job, Measured, Report } from "./load/job.ts";
import type { Options } from "./options.ts";
import type { Scenario } from "./scenarios.ts";

/** The connections of a scenario that says nothing of them. */
const CONNECTIONS = 1000;

/** The cores of nodes, and of everything else, if they are pinned. */
const NODE_CORES = "0";
const OTHER_CORES = "1";

/** The longest that the load may say nothing, beyond what it was asked to run, in milliseconds. */
const SILENCE = 60_000;

/** One turn of one contestant: a bus, nodes and a load of their own. */
export interface Turn {
  readonly contestant: Contestant;
  readonly scenario: Scenario;
  readonly options: Options;
  /** Told what is being done. */
  readonly phase: (name: string) => void;
}

/** The connections that a scenario holds. */
export function connectionsOf(scenario: Scenario, options: Options): number {
  return scenario.exactConnections ?? options.connections ?? scenario.connections ?? CONNECTIONS;
}

/** Runs a turn. Every process of it has ended when this returns or throws. */
export async function takeTurn({ contestant, scenario, options, phase }: Turn): Promise<Measured> {
  const { nodes: nodeCount, pin, profile, warmup, payloadBytes } = options;
  const cores = pin ? OTHER_CORES : undefined;
  await using processes = new AsyncDisposableStack();
  phase("starting");
  const bus = processes.use(await startBus(options.bus, cores));
  // Either each node is a process, or all are workers of one.
  const workers = options.bus === "broadcast" ? nodeCount : undefined;
  const nodes: Child[] = [];
  for (let i = 0; i < (workers === undefined ? nodeCount : 1); i++) {
    const command = contestant.start(bus.url, profile, workers);
    nodes.push(processes.use(new Child({ ...command, cores: pin ? NODE_CORES : undefined })));
  }
  const ports: number[] = [];
  for (const node of nodes) {
    for (let i = 0; i < (workers ?? 1); i++) ports.push(Number(await node.nextLine()));
  }
  const connections = connectionsOf(scenario, options);
  const job: Job = {
    dialect: contestant.dialect,
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
  return load.kind === "soak" || (load.kind === "calls" && load.course === "room");
}

function startLoad(job: Job, cores: string | undefined): Child {
  const program = new URL("load/main.ts", import.meta.url).pathname;
  return new Child({
    command: Deno.execPath(),
    // Deno asks for no less before it calls the C library and reads of other processes in /proc.
    args: ["run", "--allow-all", program, JSON.stringify(job)],
    cores,
  });
}

async function runLoad(load: Child, job: Job, phase: Turn["phase"]): Promise<Measured> {
  const timeout = job.warmup + job.window + SILENCE;
  while (true) {
    const report: Report = JSON.parse(await load.nextLine(timeout));
    if ("measured" in report) return report.measured;
    phase(report.phase);
  }
}
