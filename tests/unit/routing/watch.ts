import { assertEquals } from "@std/assert";
import { StatusSource } from "../../../backplanes/driver/status.ts";
import { MemoryBackplane } from "../../../backplanes/memory.ts";
import {
  type WatchedConnection,
  WatchedConnections,
} from "../../../hub/routing/watched_connections.ts";
import { LimitedLog } from "../../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { KeptLog } from "../../kit/log.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

/** The answer of the bus to a knock: how many nodes have heard it, or that it was not taken. */
export type Answer = number | undefined | "away";

/** Connections that are watched on a bus which answers as the test says. */
export class Watch {
  readonly clock = new ManualClock();
  /** Every knock: the id of a connection, or the name of a node. */
  readonly knocks: string[] = [];
  /** The knocks on connections, by the connection. */
  readonly knockIds = new Map<string, number>();
  readonly lost: (readonly [id: string, found: boolean])[] = [];
  readonly connections: WatchedConnections;
  readonly #status = new StatusSource("open", new KeptLog());
  answers: (channel: string) => Answer = () => 1;

  constructor() {
    const { clock } = this;
    const backplane = new MemoryBackplane();
    Object.defineProperty(backplane, "status", { get: () => this.#status.status });
    backplane.onStatus = (listener) => this.#status.onStatus(listener);
    const limitedLog = new LimitedLog(new KeptLog(), clock);
    const context = { backplane, clock, scheduler: new Scheduler(), limitedLog };
    const knocker = {
      knock: (id: string, knockId: number) => {
        this.knockIds.set(id, knockId);
        return this.#knock(id);
      },
      knockOnNode: (node: string) => this.#knock(node),
    };
    this.connections = new WatchedConnections(
      knocker,
      context,
      (id, found) => this.lost.push([id, found]),
    );
  }

  /** Begins to wait for a connection. */
  begin(id: string): WatchedConnection {
    const connection = this.connections.begin(id);
    if (connection === undefined) throw new Error(`${id} is not watched`);
    return connection;
  }

  /** Lets time pass; what is published on the way is answered. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 50) {
      this.clock.advance(Math.min(left, 50));
      // An answer takes no longer than a few microtasks.
      for (let task = 0; task < 8; task++) await Promise.resolve();
    }
  }

  /** The node that has a connection answers the last knock. */
  here(id: string, node: string): void {
    this.connections.here(this.knockIds.get(id) ?? -1, node);
  }

  /** The bus is away. */
  away(): void {
    this.#status.emit({ status: "reconnecting" });
  }

  /** The bus is back, or messages may have been lost although the bus was there. */
  recovered(): void {
    this.#status.emit({ status: "open", gap: { since: 0, until: 1 } });
    this.connections.recovered();
  }

  /** No knock follows, and soon no timer runs. */
  async assertIdle(): Promise<void> {
    const { length } = this.knocks;
    await this.pass(250);
    assertEquals([this.knocks.length, this.clock.pending], [length, 0]);
  }

  #knock(channel: string): Promise<number | undefined> {
    this.knocks.push(channel);
    const answer = this.answers(channel);
    return answer === "away" ? Promise.reject(new Error("away")) : Promise.resolve(answer);
  }
}
