/** What the load does, and what is counted. */
export interface Scenario {
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** What is counted, in the singular. */
  readonly unit: "message" | "call" | "join" | "connection";
  readonly load: Load;
  /** The connections, unless the user asks for others. Default: 1,000. */
  readonly connections?: number;
  /** The connections, whatever the user asks for. */
  readonly exactConnections?: number;
}

/** What the load does. */
export type Load =
  | {
    readonly kind: "calls";
    /** Whom a message goes to, or what is called. */
    readonly course: CourseName;
    /** How many are under way at a time: the next begins when every member has the last. */
    readonly inFlight: number;
  }
  | {
    readonly kind: "calls";
    readonly course: CourseName;
    /** How many begin in a second, whatever is under way. */
    readonly rate: number;
  }
  | { readonly kind: "connect"; readonly inFlight: number }
  | { readonly kind: "idle" }
  | { readonly kind: "soak" };

/** See `load/courses.ts`. */
export type CourseName = "all" | "room" | "one" | "echo" | "join" | "enlist" | "churn";

/** All scenarios, in the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "all",
    title: "to everyone, 2 in flight",
    unit: "message",
    load: { kind: "calls", course: "all", inFlight: 2 },
  },
  {
    name: "hot",
    title: "to all of 40, 64 in flight",
    unit: "message",
    exactConnections: 40,
    load: { kind: "calls", course: "all", inFlight: 64 },
  },
  {
    name: "room",
    title: "to rooms of 10, 32 in flight",
    unit: "message",
    load: { kind: "calls", course: "room", inFlight: 32 },
  },
  {
    name: "one",
    title: "to one connection on either node, 64 in flight",
    unit: "message",
    load: { kind: "calls", course: "one", inFlight: 64 },
  },
  {
    name: "room200",
    title: "200 a second to rooms of 10",
    unit: "message",
    load: { kind: "calls", course: "room", rate: 200 },
  },
  {
    name: "all20",
    title: "20 a second to everyone",
    unit: "message",
    load: { kind: "calls", course: "all", rate: 20 },
  },
  {
    name: "one2k",
    title: "2,000 a second to one connection each",
    unit: "message",
    load: { kind: "calls", course: "one", rate: 2000 },
  },
  {
    name: "invoke",
    title: "a call and its result, 64 in flight",
    unit: "call",
    load: { kind: "calls", course: "echo", inFlight: 64 },
  },
  {
    name: "join",
    title: "joining one of 1,000 groups, 64 in flight",
    unit: "join",
    load: { kind: "calls", course: "join", inFlight: 64 },
  },
  {
    name: "enlist",
    title: "adding a connection of another node to a group, 64 in flight",
    unit: "join",
    load: { kind: "calls", course: "enlist", inFlight: 64 },
  },
  {
    name: "churn",
    title: "10,000 new groups joined, then left, 64 in flight",
    unit: "join",
    load: { kind: "calls", course: "churn", inFlight: 64 },
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

/** Those that run when none is asked for: a soak takes too long. */
export const DEFAULT_SCENARIOS: readonly string[] = SCENARIOS
  .map(({ name }) => name).filter((name) => name !== "soak");
