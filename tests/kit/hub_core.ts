import { MemoryBackplane } from "../../backplanes/memory.ts";
import type { Backplane } from "../../backplanes/backplane.ts";
import { steadyDate } from "../../hub/clock.ts";
import { NodeCluster } from "../../hub/cluster/cluster.ts";
import type { HubConnection } from "../../hub/connection/connection.ts";
import { Link } from "../../hub/connection/link.ts";
import { LimitedLog } from "../../hub/scheduling/limited_log.ts";
import { Scheduler } from "../../hub/scheduling/scheduler.ts";
import type { HubUser } from "../../hub/definition/context.ts";
import type { Hub, HubMethods } from "../../hub/definition/hub.ts";
import { LiveHub, type ServerRules } from "../../hub/serving/live_hub.ts";
import { type HubServerOptions, resolveOptions } from "../../hub/options/server.ts";
import { StatusReports } from "../../hub/serving/status_reports.ts";
import { KeptLog } from "./log.ts";
import { ManualClock } from "./manual_clock.ts";
import { MemoryPipe, settle } from "./pipe.ts";

/** However slow the machine is, a turn has time for all messages that a test sends. */
class PatientScheduler extends Scheduler {
  override takeRead(): boolean {
    return true;
  }
}

/** A client of a {@link HubCore}. */
export interface CoreClient {
  readonly pipe: MemoryPipe;
  readonly connection: HubConnection;
}

/** A hub without HTTP: clients come as pipes, and time passes when the test says so. */
export class HubCore implements AsyncDisposable {
  readonly clock: ManualClock = new ManualClock();
  readonly log: KeptLog = new KeptLog();
  readonly live: LiveHub;
  readonly limitedLog: LimitedLog;
  /** Knows the other nodes only if the test starts it. */
  readonly cluster: NodeCluster;
  readonly #backplane: Backplane;
  readonly #idPrefix: string;
  readonly #scheduler: Scheduler;
  #clients = 0;

  constructor(
    hub: Hub<HubMethods>,
    options: HubServerOptions & ServerRules = {},
    backplane: Backplane = new MemoryBackplane(),
    /** Its name among others; connection ids start with it unless it is alone. */
    serverName = "node",
    /** The name of the hub. */
    name = "hub",
  ) {
    this.#backplane = backplane;
    this.#idPrefix = serverName === "node" ? "c" : `${serverName}.c`;
    const resolved = resolveOptions({ logger: this.log, ...options });
    const { clock } = this;
    const { logger } = resolved;
    const limitedLog = this.limitedLog = new LimitedLog(logger, clock);
    const scheduler = this.#scheduler = new PatientScheduler();
    const node = { serverName, backplane, clock, scheduler, limitedLog };
    const cluster = this.cluster = new NodeCluster(
      { ...node, date: steadyDate(clock) },
      () => this.live.connectionCount,
    );
    const { gaps } = new StatusReports({ backplane, time: clock, logger }, undefined);
    const context = { ...node, cluster, time: clock, gaps, logger, options: resolved };
    this.live = new LiveHub(hub, name, context, options);
  }

  /** A client that has not shaken hands; `stateful` is whether it has negotiated that it may come back. */
  admit(user?: HubUser, stateful = false): CoreClient {
    const pipe = new MemoryPipe();
    const connection = this.live.connect(pipe, {
      id: `${this.#idPrefix}${++this.#clients}`,
      user,
      request: { url: "http://localhost/hub", headers: new Headers() },
      stateful,
    });
    pipe.attach(new Link(pipe, connection));
    return { pipe, connection };
  }

  /** A client that has shaken hands, and been told so. */
  async connect(user?: HubUser): Promise<CoreClient> {
    const client = this.admit(user);
    client.pipe.send({ protocol: "json", version: 1 });
    await client.pipe.next();
    await settle();
    return client;
  }

  /** Lets time pass, with a heartbeat a second, as a server does. */
  pass(milliseconds: number): void {
    let left = milliseconds;
    while (left > 0) {
      const step = Math.min(left, 1000);
      this.clock.advance(step);
      this.cluster.tick();
      this.live.tick();
      left -= step;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connections = [...this.live.connections];
    for (const connection of connections) connection.close({});
    await Promise.all(connections.map(({ finished }) => finished));
    await this.cluster.close();
    this.live.close();
    this.#scheduler.close();
    await this.#backplane.close();
  }
}
