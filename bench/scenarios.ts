/** A load, and the unit that is counted. */
export interface Scenario {
  readonly name: string;
  /** The title in tables. */
  readonly title: string;
  /** The unit that is counted, in the singular. */
  readonly unit: "message" | "call" | "join" | "connection";
  readonly load: Load;
  /** The number of connections, unless `--connections` is given. Default: 1,000. */
  readonly connections?: number;
  /** The number of connections, whatever `--connections` says. */
  readonly exactConnections?: number;
}

/** The kinds of load. */
export type Load =
  | {
    readonly kind: "calls";
    /** The recipients of a message, or the method that is called. */
    readonly workload: WorkloadName;
    /** The number of messages in flight: the next is sent when all recipients have the last. */
    readonly inFlight: number;
  }
  | {
    readonly kind: "calls";
    readonly workload: WorkloadName;
    /** Messages a second, however many are in flight. */
    readonly rate: number;
  }
  | { readonly kind: "connect"; readonly inFlight: number }
  | { readonly kind: "idle" }
  | { readonly kind: "soak" };

/** See `load/workloads.ts`. */
export type WorkloadName = "all" | "room" | "one" | "echo" | "join" | "enlist" | "churn";

/** All scenarios, in the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "all",
    title: "to everyone, 2 in flight",
    unit: "message",
    load: { kind: "calls", workload: "all", inFlight: 2 },
  },
  {
    name: "hot",
    title: "to all of 40, 64 in flight",
    unit: "message",
    exactConnections: 40,
    load: { kind: "calls", workload: "all", inFlight: 64 },
  },
  {
    name: "room",
    title: "to rooms of 10, 32 in flight",
    unit: "message",
    load: { kind: "calls", workload: "room", inFlight: 32 },
  },
  {
    name: "one",
    title: "to one connection on either node, 64 in flight",
    unit: "message",
    load: { kind: "calls", workload: "one", inFlight: 64 },
  },
  {
    name: "room200",
    title: "200 a second to rooms of 10",
    unit: "message",
    load: { kind: "calls", workload: "room", rate: 200 },
  },
  {
    name: "all20",
    title: "20 a second to everyone",
    unit: "message",
    load: { kind: "calls", workload: "all", rate: 20 },
  },
  {
    name: "one2k",
    title: "2,000 a second to one connection each",
    unit: "message",
    load: { kind: "calls", workload: "one", rate: 2000 },
  },
  {
    name: "invoke",
    title: "a call and its result, 64 in flight",
    unit: "call",
    load: { kind: "calls", workload: "echo", inFlight: 64 },
  },
  {
    name: "join",
    title: "joining one of 1,000 groups, 64 in flight",
    unit: "join",
    load: { kind: "calls", workload: "join", inFlight: 64 },
  },
  {
    name: "enlist",
    title: "adding a connection of another node to a group, 64 in flight",
    unit: "join",
    load: { kind: "calls", workload: "enlist", inFlight: 64 },
  },
  {
    name: "churn",
    title: "10,000 new groups joined, then left, 64 in flight",
    unit: "join",
    load: { kind: "calls", workload: "churn", inFlight: 64 },
  },
  {
    name: "connect",
    title: "opening connections, 32 at a time",
    unit: "connection",
    exactConnections: 0,
    load: { kind: "connect", inFlight: 32 },
  },
  {
    name: "idle",
    title: "memory of 10,000 connections",
    unit: "connection",
    connections: 10_000,
    load: { kind: "idle" },
  },
  {
    name: "soak",
    title: "messages, groups and connections that come and go",
    unit: "message",
    load: { kind: "soak" },
  },
];

/** The scenarios if the command line names none: a soak takes too long. */
export const DEFAULT_SCENARIOS: readonly string[] = SCENARIOS
  .map(({ name }) => name).filter((name) => name !== "soak");
