import type { Backplane } from "../backplane.ts";
import type { BackplaneOptions } from "../driver/options.ts";

/** The faults that a driver's tests can give the bus. */
export interface ConformanceBus {
  /** Ends the bus as a crash does: every connection is gone. Resolves when it is down. */
  stop(): Promise<void> | void;
  /** Starts it again in the same place. Resolves when it answers. */
  start(): Promise<void> | void;
  /** Makes it hang (SIGSTOP): connections stay, nothing answers. */
  pause?(): Promise<void> | void;
  /** Lets a hung bus go on (SIGCONT). */
  resume?(): Promise<void> | void;
  /**
   * Parts the way of publishes from the way of subscriptions, for a driver that has a connection for
   * each: both connections stay and are answered as before, but nothing that is published arrives.
   */
  part?(): Promise<void> | void;
  /** Leads what is published to the subscriptions again. */
  rejoin?(): Promise<void> | void;
}

/** Times of the cases with faults, in milliseconds: three options of the instances, and an outage. */
export interface ConformanceFaults extends Required<Omit<BackplaneOptions, "logger">> {
  /** How long a long outage lasts. */
  readonly outage: number;
}

/** A driver and its bus, under test. */
export interface ConformanceSubject {
  /**
   * Opens one more instance on the bus, with `prefix` before its channel names; every instance of
   * one subject is on the same bus. The driver must use `options`: the suite shortens its timeouts
   * and checks its log.
   */
  open(prefix: string, options: BackplaneOptions): Promise<Backplane> | Backplane;
  /**
   * How long a case waits for an event that should come soon, such as an arrival or a reconnect, in
   * milliseconds.
   *
   * @default {20000}
   */
  readonly patience?: number;
  /**
   * Shorter times, for a bus that answers sooner than a server on a busy machine.
   *
   * @default {{ publishTimeout: 1000, probeInterval: 200, probeTimeout: 1000, outage: 6000 }}
   */
  readonly faults?: Partial<ConformanceFaults>;
  /** The name of a channel that the bus refuses to every instance. Unlocks the cases on refusals. */
  readonly refusedChannel?: string;
  /** Unlocks the cases that need a fault; without it they are left out. */
  readonly bus?: ConformanceBus;
}
