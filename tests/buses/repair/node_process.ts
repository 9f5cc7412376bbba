import type { HubServerOptions } from "../../../mod.ts";
import { Child } from "../../kit/child.ts";
import { bounded } from "../../kit/wait.ts";
import type { Missing, NodeReport, Order } from "./messages.ts";

/** How long a node may take to start beside many others, in milliseconds. */
const PATIENCE = 90_000;
const PROGRAM = new URL("node.ts", import.meta.url).href;

/** A node in a process of its own; see `node.ts`. */
export class NodeProcess implements AsyncDisposable {
  readonly #child: Child;
  readonly #port: number;
  readonly #client = Deno.createHttpClient({});

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.#port = port;
  }

  /** Starts a node; resolves when it is ready and its member has joined. */
  static async start(url: string, options: HubServerOptions): Promise<NodeProcess> {
    const args = ["run", "--allow-all", "--no-check", "--quiet", PROGRAM, url];
    const child = Child.start(...args, JSON.stringify(options));
    try {
      const [, port] = await child.until(/control (\d+)/, PATIENCE);
      return new NodeProcess(child, Number(port));
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Tells it something; resolves with the answer. */
  async tell(order: Order): Promise<unknown> {
    const answered = fetch(`http://127.0.0.1:${this.#port}/`, {
      method: "POST",
      body: JSON.stringify(order),
      client: this.#client,
    }).then((response) => response.json());
    return await bounded(answered, `a node that was told to ${order.kind}`);
  }

  async report(): Promise<NodeReport> {
    return await this.tell({ kind: "report" }) as NodeReport;
  }

  async missing(sent: Readonly<Record<string, number>>): Promise<Missing> {
    return await this.tell({ kind: "missing", sent }) as Missing;
  }

  /** Stops it in its tracks, or lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child.signal(signal);
  }

  /** What it has written to its output. */
  get text(): string {
    return this.#child.text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
    this.#client.close();
  }
}
