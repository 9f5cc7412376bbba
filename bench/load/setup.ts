import { byHand } from "./dialects/by_hand.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { signalRJson, signalRMessagePack } from "./dialects/signalr.ts";
import { socketIo } from "./dialects/socketio.ts";
import { Connections } from "./connections.ts";
import { Messages } from "./messages.ts";
import type { DialectName, Job } from "./job.ts";
import { Window } from "./window.ts";

const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  "signalr-json": signalRJson,
  "signalr-messagepack": signalRMessagePack,
  "socket.io": socketIo,
  "by-hand": byHand,
};

/** The parts that every kind of load uses. */
export interface Setup {
  readonly job: Job;
  readonly connections: Connections;
  readonly messages: Messages;
  readonly window: Window;
  /** Reports the name of the phase. */
  readonly phase: (name: string) => void;
}

/** Makes the parts for a job. */
export function prepare(job: Job, phase: (name: string) => void): Setup {
  const dialect = DIALECTS[job.dialect];
  const connections = new Connections(dialect, job.ports);
  const messages = new Messages(connections, dialect, job.payloadBytes);
  return { job, connections, messages, window: new Window(job), phase };
}
