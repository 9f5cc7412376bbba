import type { WorkloadName } from "../scenarios.ts";
import type { Connection } from "./connection.ts";
import type { Message } from "./messages.ts";

/** The number of connections in a room. */
export const ROOM_SIZE = 10;

/** The number of groups that `join` and `enlist` fill, and that `churn` joins and then leaves. */
const JOINED_GROUPS = 1000;
const CHURNED_GROUPS = 10_000;

/** Returns the next message to send. */
export type Workload = () => Message;

/** The parts of a workload. */
export interface WorkloadParts {
  readonly connections: readonly Connection[];
  readonly rooms: number;
  /** The number of connections that send messages. */
  readonly senders: number;
}

/** The members of a room: consecutive connections, so that they are on different nodes. */
export function membersOf(room: number, connections: readonly Connection[]): Connection[] {
  const first = room * ROOM_SIZE;
  return Array.from(
    { length: Math.min(ROOM_SIZE, connections.length) },
    (_, i) => at(connections, first + i),
  );
}

/** The name of a room. */
export function roomName(room: number): string {
  return `room-${room}`;
}

/** The workloads by name. */
export const WORKLOADS: Readonly<Record<WorkloadName, (parts: WorkloadParts) => Workload>> = {
  all: ({ connections, senders }) => () => ({
    from: anyOf(connections, senders),
    call: { method: "all" },
    receipts: connections.length,
  }),

  room: ({ connections, rooms, senders }) => () => ({
    from: anyOf(connections, senders),
    call: { method: "group", name: roomName(Math.floor(Math.random() * rooms)) },
    receipts: Math.min(ROOM_SIZE, connections.length),
  }),

  one: ({ connections, senders }) => () => ({
    from: anyOf(connections, senders),
    call: { method: "one", name: anyOf(connections).id },
    receipts: 1,
  }),

  echo: ({ connections }) => () => ({
    from: anyOf(connections),
    call: { method: "echo" },
    receipts: 1,
  }),

  join: ({ connections }) => {
    const next = counter();
    return () => {
      const count = next();
      const name = `joined-${Math.floor(count / connections.length) % JOINED_GROUPS}`;
      return { from: at(connections, count), call: { method: "join", name }, receipts: 1 };
    };
  },

  enlist: ({ connections }) => {
    const next = counter();
    return () => {
      const count = next();
      const group = `enlisted-${Math.floor(count / connections.length) % JOINED_GROUPS}`;
      const { id: name } = at(connections, count + 1);
      return { from: at(connections, count), call: { method: "enlist", name, group }, receipts: 1 };
    };
  },

  churn: ({ connections }) => {
    const next = counter();
    return () => {
      const count = next();
      const method = Math.floor(count / CHURNED_GROUPS) % 2 === 0 ? "join" : "leave";
      const round = Math.floor(count / CHURNED_GROUPS / 2);
      const group = count % CHURNED_GROUPS;
      const call = { method, name: `churned-${round}-${group}` } as const;
      return { from: at(connections, group), call, receipts: 1 };
    };
  },
};

function counter(): () => number {
  let count = 0;
  return () => count++;
}

function at(connections: readonly Connection[], index: number): Connection {
  const connection = connections[index % connections.length];
  if (connection === undefined) throw new Error("Cannot choose connection: there are none");
  return connection;
}

/** A random connection among the first `count`. */
function anyOf(connections: readonly Connection[], count = connections.length): Connection {
  return at(connections, Math.floor(Math.random() * Math.min(count, connections.length)));
}
