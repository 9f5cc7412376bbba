import { parseArgs } from "node:util";

/** What every node is told. */
export interface NodeArguments {
  readonly port: number;
  /** The URL of the bus; `undefined` for a single node. */
  readonly bus: string | undefined;
  /** Only for Hubplane: how many invocations of one client may run at a time. */
  readonly parallel: number;
  /** Only for the hub by hand: whether to join what one socket gets in one turn. */
  readonly coalescing: boolean;
  /** Only for Hubplane: whether `listen()` serves, and not `Deno.serve`. */
  readonly listen: boolean;
  /** Only for Hubplane: how many nodes there are in the process. */
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

/** Tells the benchmark that the node serves, and where. */
export function announce(port: number): void {
  Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
  Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`));
}
