import { parseArgs } from "node:util";

/** The arguments of every node. */
export interface NodeArguments {
  readonly port: number;
  /** The URL of the bus; `undefined` for a single node. */
  readonly bus: string | undefined;
  /** Only for Hubplane: the invocations of one client that may run at the same time. */
  readonly parallel: number;
  /** Only for the hub by hand: whether to join the messages of one socket in one turn of the event loop. */
  readonly coalescing: boolean;
  /** Only for Hubplane: whether `listen()` serves, and not `Deno.serve`. */
  readonly listen: boolean;
  /** Only for Hubplane: the number of nodes in the process. */
  readonly workers: number;
}

/** Reads the arguments of a node. */
export function readNodeArguments(): NodeArguments {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      port: { type: "string", default: "0" },
      bus: { type: "string" },
      parallel: { type: "string", default: "1" },
      coalescing: { type: "boolean", default: false },
      listen: { type: "boolean", default: false },
      workers: { type: "string", default: "1" },
    },
  });
  const { port, bus, parallel, coalescing, listen, workers } = values;
  return {
    port: Number(port),
    bus,
    parallel: Number(parallel),
    coalescing,
    listen,
    workers: Number(workers),
  };
}

/** Prints the port, which tells the benchmark that the node is ready. */
export function announce(port: number): void {
  Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
  Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`));
}
