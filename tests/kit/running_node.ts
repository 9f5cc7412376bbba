import {
  createHubServer,
  type Hubs,
  type HubServer,
  type HubServerConfiguration,
  MemoryBackplane,
} from "../../mod.ts";
import { KeptLog } from "./log.ts";
import type { Host, Hosted } from "./servers/hosts.ts";

/** What a {@link RunningNode} takes: like a server, on a private memory bus unless told otherwise. */
export type NodeConfiguration<H extends Hubs> =
  & Omit<HubServerConfiguration<H>, "backplane">
  & Partial<Pick<HubServerConfiguration<H>, "backplane">>;

/** A hub server on a free port of the loopback interface. */
export class RunningNode<const H extends Hubs> implements AsyncDisposable {
  readonly server: HubServer<H>;
  readonly http: Hosted;
  readonly log: KeptLog;

  private constructor(server: HubServer<H>, http: Hosted, log: KeptLog) {
    this.server = server;
    this.http = http;
    this.log = log;
  }

  /** Starts one; tests get `host` from `onEachServer`. */
  static async start<const H extends Hubs>(
    configuration: NodeConfiguration<H>,
    host: Host,
  ): Promise<RunningNode<H>> {
    const log = new KeptLog();
    const complete = { backplane: new MemoryBackplane(), logger: log, ...configuration };
    // Whether the users fit the hubs is for the compiler to check where a test calls `createHubServer`.
    const server = createHubServer(complete as HubServerConfiguration<H, never>);
    return new RunningNode(server, await host(server), log);
  }

  /** The port it listens on. */
  get port(): number {
    return this.http.port;
  }

  /** The URL of a path. */
  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.http.shutdown();
  }
}
