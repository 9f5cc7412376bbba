import { Child } from "./children.ts";

/** The buses between nodes. */
export type BusName = "memory" | "broadcast" | "redis" | "nats";

/** A running bus. */
export interface RunningBus extends AsyncDisposable {
  /** `undefined` if there is one node. */
  readonly url: string | undefined;
  readonly pid: number | undefined;
}

/** The longest time until a server answers, in milliseconds. */
const START_TIMEOUT = 10_000;

/** Starts a bus on a free port of loopback, without persistence. */
export async function startBus(name: BusName, cores: string | undefined): Promise<RunningBus> {
  if (name === "memory" || name === "broadcast") {
    const url = name === "memory" ? undefined : "broadcast:bench";
    return { url, pid: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const port = freePort();
  const child = name === "redis"
    ? new Child({
      command: "redis-server",
      args: ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
      cores,
    })
    : new Child({ command: "nats-server", args: ["-a", "127.0.0.1", "-p", `${port}`], cores });
  try {
    await answering(port);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw new Error(`Cannot start ${name}-server: is it installed?`, { cause: error });
  }
  return {
    url: `${name}://127.0.0.1:${port}`,
    pid: child.pid,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answering(port: number): Promise<void> {
  const give = performance.now() + START_TIMEOUT;
  while (true) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (performance.now() > give) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
