import { until } from "../../kit/wait.ts";

const EXAMPLES = new URL("../../../examples/balancer/", import.meta.url);

/** A program that spreads clients over nodes. */
export interface Program {
  /** The example that configures it. */
  readonly configuration: string;
  /** How it is started, to run until it is killed. */
  readonly command: (configuration: string, folder: string) => readonly [string, ...string[]];
}

/** The programs that there are examples for. */
export const PROGRAMS: Readonly<Record<string, Program>> = {
  HAProxy: {
    configuration: "haproxy.cfg",
    command: (configuration) => ["haproxy", "-db", "-f", configuration],
  },
  nginx: {
    configuration: "nginx.conf",
    command: (configuration, folder) => [
      ...["nginx", "-p", folder, "-c", configuration, "-g", "daemon off;"] as const,
    ],
  },
};

/** A balancer with the configuration of the example, on other ports; killed when disposed. */
export class Balancer implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;

  private constructor(process: Deno.ChildProcess, folder: string, port: number) {
    this.#process = process;
    this.#folder = folder;
    this.port = port;
  }

  /** Starts `program` before two nodes, with what `edit` makes of its example; resolves when it listens. */
  static async start(
    program: Program,
    nodes: readonly [number, number],
    edit: (example: string) => string = (example) => example,
  ): Promise<Balancer> {
    const port = freePort();
    const folder = await Deno.makeTempDir({ prefix: "hubplane-balancer-" });
    const example = await Deno.readTextFile(new URL(program.configuration, EXAMPLES));
    const file = `${folder}/${program.configuration}`;
    await Deno.writeTextFile(
      file,
      edit(example).replaceAll("127.0.0.1:8000", `127.0.0.1:${port}`)
        .replaceAll("127.0.0.1:8001", `127.0.0.1:${nodes[0]}`)
        .replaceAll("127.0.0.1:8002", `127.0.0.1:${nodes[1]}`),
    );
    const [command, ...args] = program.command(file, folder);
    const process = new Deno.Command(command, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const balancer = new Balancer(process, folder, port);
    try {
      await until(() => answers(port));
    } catch (error) {
      await balancer[Symbol.asyncDispose]();
      throw error;
    }
    return balancer;
  }

  /** The URL of a path. */
  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Whether a node can be reached through the balancer. */
async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/nowhere`);
    await response.body?.cancel();
    return response.status === 404;
  } catch {
    return false;
  }
}
