import type { Latency, Measured } from "./load/job.ts";
import type { Scenario } from "./scenarios.ts";
import { median } from "./statistics.ts";

/** What a turn says, or the medians of many; `null` where a scenario has no such thing. */
export interface Figures {
  /** CPU time of the nodes for each message, in microseconds. */
  readonly cpu: number | null;
  /** The share of it that was not spent in the kernel. */
  readonly userShare: number | null;
  /** CPU time of the bus for each message, in microseconds. */
  readonly busCpu: number | null;
  readonly perSecond: number | null;
  /** Latencies in microseconds. */
  readonly local: Latency;
  readonly remote: Latency;
  /** By how much the nodes' memory grew for each connection, in bytes. */
  readonly bytesPerConnection: number | null;
  /** By how much their memory grows while they work, in bytes a second. */
  readonly slope: number | null;
  /** How busy the load was: 1 is a whole core, and then it was the bottleneck. */
  readonly loadShare: number;
}

/** What one contestant did in one scenario. */
export interface Standing {
  readonly contestant: string;
  readonly median: Figures;
  readonly turns: readonly Figures[];
}

/** What a scenario says of everyone. */
export interface Outcome {
  readonly scenario: string;
  readonly title: string;
  readonly unit: Scenario["unit"];
  readonly connections: number;
  readonly seconds: number;
  readonly standings: readonly Standing[];
}

/** All that was measured: what `--json` prints. */
export interface Results {
  readonly date: string;
  readonly system: Readonly<Record<string, string>>;
  readonly bus: string;
  readonly protocol: string;
  readonly nodes: number;
  readonly repeat: number;
  readonly payloadBytes: number;
  readonly pinned: boolean;
  /** The option whose values are compared; the others here are the same for all. */
  readonly varied?: string;
  readonly outcomes: readonly Outcome[];
}

/** What a turn says. */
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

/** The medians of turns. */
export function medianOf(turns: readonly Figures[]): Figures {
  const middle = (read: (figures: Figures) => number | null) => median(turns.map(read));
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

/** What the contestants are compared by: CPU time, or memory where nothing happens. */
export function costOf({ median }: Standing): number | null {
  return median.cpu ?? median.bytesPerConnection;
}

/** The one that the others are compared with: Hubplane, if it takes part. */
export function baselineOf({ standings }: Outcome): Standing | undefined {
  return standings.find(({ contestant }) => contestant.startsWith("hubplane")) ?? standings[0];
}
