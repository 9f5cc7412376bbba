import { createHubServer, defineHub, type HubServer, openBackplane } from "../../../mod.ts";
import { KeptLog } from "../../kit/log.ts";
import { Events } from "../../kit/wait.ts";

const HUBS = { "/hub": defineHub({ methods: {} }) };

/** A node in the process of the test, which writes down what it sees of others. */
export class Observer implements AsyncDisposable {
  readonly server: HubServer<typeof HUBS>;
  /** Each change of a node, as `NODE: STATE`. */
  readonly seen = new Events<string>();
  readonly #log: KeptLog;

  private constructor(server: HubServer<typeof HUBS>, log: KeptLog) {
    this.server = server;
    this.#log = log;
    server.onNodes(({ node, state }) => this.seen.add(`${node}: ${state}`));
  }

  /** Starts a node on a bus. */
  static async start(url: string): Promise<Observer> {
    const logger = new KeptLog();
    const backplane = await openBackplane(url, { logger });
    const observer = new Observer(createHubServer({ hubs: HUBS, backplane, logger }), logger);
    await observer.server.ready;
    return observer;
  }

  /** Its name. */
  get name(): string {
    return this.server.nodes[0]?.name ?? "";
  }

  /** The lines of its log. */
  get lines(): readonly string[] {
    return this.#log.lines;
  }

  /** The state that `node` has now. */
  stateOf(node: string): string | undefined {
    return this.server.nodes.find(({ name }) => name === node)?.state;
  }

  /** Resolves when it sees `node` in a state, now or soon. */
  async until(node: string, state: string): Promise<void> {
    if (this.stateOf(node) === state) return;
    const { length } = this.seen.all;
    await this.seen.until(
      (all) => all.slice(length).includes(`${node}: ${state}`),
      `${node} to be ${state}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}
