import type { Latency, Measured } from "./load/job.ts";
import type { Scenario } from "./scenarios.ts";
import { median } from "./statistics.ts";

/** The figures of a run, or the medians of several; `null` if a scenario has no such figure. */
export interface Figures {
  /** CPU time of the nodes for each message, in microseconds. */
  readonly cpu: number | null;
  /** The share of `cpu` that was not spent in the kernel. */
  readonly userShare: number | null;
  /** CPU time of the bus for each message, in microseconds. */
  readonly busCpu: number | null;
  readonly perSecond: number | null;
  /** Latencies in microseconds. */
  readonly local: Latency;
  readonly remote: Latency;
  /** The memory of the nodes for each connection, in bytes. */
  readonly bytesPerConnection: number | null;
  /** The growth of the nodes' memory while they work, in bytes a second. */
  readonly slope: number | null;
  /** The share of a core that the load used: at 1 the load was the bottleneck. */
  readonly loadShare: number;
}

/** The figures of one subject in one scenario. */
export interface SubjectFigures {
  readonly subject: string;
  readonly median: Figures;
  readonly runs: readonly Figures[];
}

/** The figures of all subjects in one scenario. */
export interface Outcome {
  readonly scenario: string;
  readonly title: string;
  readonly unit: Scenario["unit"];
  readonly connections: number;
  readonly seconds: number;
  readonly subjects: readonly SubjectFigures[];
}

/** Everything that was measured; `--json` prints it. */
export interface Results {
  readonly date: string;
  readonly system: Readonly<Record<string, string>>;
  readonly bus: string;
  readonly protocol: string;
  readonly nodes: number;
  readonly repeat: number;
  readonly payloadBytes: number;
  readonly pinned: boolean;
  /** The option that is varied; the other options here are the same for all subjects. */
  readonly varied?: string;
  readonly outcomes: readonly Outcome[];
}

/** The figures of a run. */
export function figuresOf(measured: Measured, scenario: Scenario): Figures {
  const { count, seconds, cpu, rss, connections, local, remote, slope } = measured;
  const idle = scenario.load.kind === "idle";
  const each = (sum: number) => idle || count === 0 ? null : sum / count;
  return {
    cpu: each(cpu.nodes),
    userShare: idle || cpu.nodes === 0 ? null : cpu.user / cpu.nodes,
    busCpu: each(cpu.bus),
    perSecond: idle ? null : count / seconds,
    local,
    remote,
    bytesPerConnection: connections === 0 ? null : (rss.open - rss.before) / connections,
    slope: slope ?? null,
    loadShare: cpu.load / (seconds * 1e6),
  };
}

/** The medians of runs. */
export function medianOf(runs: readonly Figures[]): Figures {
  const middle = (read: (figures: Figures) => number | null) => median(runs.map(read));
  return {
    cpu: middle(({ cpu }) => cpu),
    userShare: middle(({ userShare }) => userShare),
    busCpu: middle(({ busCpu }) => busCpu),
    perSecond: middle(({ perSecond }) => perSecond),
    local: { p50: middle(({ local }) => local.p50), p99: middle(({ local }) => local.p99) },
    remote: { p50: middle(({ remote }) => remote.p50), p99: middle(({ remote }) => remote.p99) },
    bytesPerConnection: middle(({ bytesPerConnection }) => bytesPerConnection),
    slope: middle(({ slope }) => slope),
    loadShare: middle(({ loadShare }) => loadShare) ?? 0,
  };
}

/** What the subjects are compared by: CPU time, or memory where nothing happens. */
export function costOf({ median }: SubjectFigures): number | null {
  return median.cpu ?? median.bytesPerConnection;
}

/** The one that the others are compared with: Hubplane, if it takes part. */
export function baselineOf({ subjects }: Outcome): SubjectFigures | undefined {
  return subjects.find(({ subject }) => subject.startsWith("hubplane")) ?? subjects[0];
}
