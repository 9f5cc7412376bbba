import { firstAnswer, ServerProcess } from "./server_process.ts";

/** What a test may ask of its NATS server. */
export interface NatsServerOptions {
  /** Further arguments, such as `["--user", "ann", "--pass", "secret"]`. */
  readonly args?: readonly string[];
  /** The port; a free one by default. */
  readonly port?: number;
  /** Whether to start it at once. Default: `true`. */
  readonly running?: boolean;
}

/** Starts a real `nats-server` on loopback. */
export function startNats(options: NatsServerOptions = {}): Promise<ServerProcess> {
  const { args = [], ...rest } = options;
  return ServerProcess.open({
    command: "nats-server",
    args: (port) => ["--addr", "127.0.0.1", "--port", `${port}`, ...args],
    ready: async (port) => (await firstAnswer(port, "")).startsWith("INFO "),
  }, rest);
}

/** The URL of a server started by {@link startNats}, for tests that need no password. */
export function natsUrl(server: ServerProcess, prefix: string): string {
  return `nats://127.0.0.1:${server.port}?prefix=${encodeURIComponent(prefix)}`;
}
