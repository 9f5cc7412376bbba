import type { Load } from "../scenarios.ts";

/** The protocols that the load speaks. */
export type DialectName = "signalr-json" | "signalr-messagepack" | "socket.io" | "by-hand";

/** The job of the load: JSON in its first argument. */
export interface Job {
  readonly dialect: DialectName;
  readonly load: Load;
  /** The ports of the nodes, and their processes. */
  readonly ports: readonly number[];
  readonly nodes: readonly number[];
  /** The process of the bus, if it has one. */
  readonly bus: number | undefined;
  readonly connections: number;
  /** The number of rooms of ten connections. */
  readonly rooms: number;
  /** The number of connections that send messages. */
  readonly senders: number;
  /** The size of a message, in bytes. */
  readonly payloadBytes: number;
  /** The time before the window, in milliseconds. */
  readonly warmup: number;
  /** The measured time, in milliseconds. */
  readonly window: number;
}

/** A line of JSON that the load prints. */
export type Report = { readonly phase: string } | { readonly measured: Measured };

/** Percentiles of latencies, in microseconds; `null` if there were none. */
export interface Latency {
  readonly p50: number | null;
  readonly p99: number | null;
}

/** CPU times, in microseconds. */
export interface CpuTimes {
  readonly nodes: number;
  /** The part of {@link nodes} that was not spent in the kernel. */
  readonly user: number;
  readonly bus: number;
  readonly load: number;
}

/** The measurements of the window. */
export interface Measured {
  readonly seconds: number;
  /** The number of messages that arrived, calls that ended, or connections that opened. */
  readonly count: number;
  /** CPU times in the window. */
  readonly cpu: CpuTimes;
  /** Resident memory of all nodes, in bytes: before the load, with its connections, and at the end. */
  readonly rss: { readonly before: number; readonly open: number; readonly end: number };
  /** The number of connections. */
  readonly connections: number;
  /** Latency of recipients on the sender's node, and on other nodes. */
  readonly local: Latency;
  readonly remote: Latency;
  /** The growth of the nodes' memory, in bytes a second; only for a soak. */
  readonly slope?: number;
}
