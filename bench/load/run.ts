import { byHand } from "./dialects/by_hand.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { signalRJson, signalRMessagePack } from "./dialects/signalr.ts";
import { socketIo } from "./dialects/socketio.ts";
import { Fleet } from "./fleet.ts";
import { Flights } from "./flights.ts";
import type { DialectName, Job } from "./job.ts";
import { Window } from "./window.ts";

const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  "signalr-json": signalRJson,
  "signalr-messagepack": signalRMessagePack,
  "socket.io": socketIo,
  "by-hand": byHand,
};

/** What every kind of load works with. */
export interface Run {
  readonly job: Job;
  readonly fleet: Fleet;
  readonly flights: Flights;
  readonly window: Window;
  /** Says what is being done. */
  readonly phase: (name: string) => void;
}

/** Makes ready what a job needs. */
export function prepare(job: Job, phase: (name: string) => void): Run {
  const dialect = DIALECTS[job.dialect];
  const fleet = new Fleet(dialect, job.ports);
  const flights = new Flights(fleet, dialect, job.payloadBytes);
  return { job, fleet, flights, window: new Window(job), phase };
}
