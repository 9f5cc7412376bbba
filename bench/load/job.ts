import type { Load } from "../scenarios.ts";

/** The dialects that the load speaks. */
export type DialectName = "signalr-json" | "signalr-messagepack" | "socket.io" | "by-hand";

/** What the load is told, as JSON in its first argument. */
export interface Job {
  readonly dialect: DialectName;
  readonly load: Load;
  /** The ports of the nodes, and their processes. */
  readonly ports: readonly number[];
  readonly nodes: readonly number[];
  /** The process of the bus, if it has one. */
  readonly bus: number | undefined;
  readonly connections: number;
  /** How many rooms there are, of ten connections each. */
  readonly rooms: number;
  /** How many of the connections send messages. */
  readonly senders: number;
  /** The size of a message, in bytes. */
  readonly payloadBytes: number;
  /** How long to run before the window, in milliseconds. */
  readonly warmup: number;
  /** How long to measure, in milliseconds. */
  readonly window: number;
}

/** What the load reports, as JSON in lines on its standard output. */
export type Report = { readonly phase: string } | { readonly measured: Measured };

/** Half and almost all of the latencies, in microseconds; `null` if there were none. */
export interface Latency {
  readonly p50: number | null;
  readonly p99: number | null;
}

/** CPU times, in microseconds. */
export interface CpuTimes {
  readonly nodes: number;
  /** Of {@link nodes}, what was not in the kernel. */
  readonly user: number;
  readonly bus: number;
  readonly load: number;
}

/** What was measured in the window. */
export interface Measured {
  readonly seconds: number;
  /** How many messages came, calls were answered, or connections were opened. */
  readonly count: number;
  /** CPU time, in microseconds: of all nodes, in the kernel or not, of the bus, and of the load itself. */
  readonly cpu: CpuTimes;
  /** Resident memory of all nodes, in bytes: before the load, with its connections, and at the end. */
  readonly rss: { readonly before: number; readonly open: number; readonly end: number };
  /** The connections that were held. */
  readonly connections: number;
  /** Latency at members on the sender's node, and on others. */
  readonly local: Latency;
  readonly remote: Latency;
  /** By how much the nodes' memory grows, in bytes a second; only of a soak. */
  readonly slope?: number;
}
