import { firstAnswer, ServerProcess } from "./server_process.ts";

/** What a test may ask of its Redis. */
export interface RedisServerOptions {
  /** Further arguments, such as `["--requirepass", "secret"]`. */
  readonly args?: readonly string[];
  /** The port; a free one by default. */
  readonly port?: number;
  /** Whether to start it at once. Default: `true`. */
  readonly running?: boolean;
}

/** Starts a real `redis-server` without persistence on loopback. */
export function startRedis(options: RedisServerOptions = {}): Promise<ServerProcess> {
  const { args = [], ...rest } = options;
  return ServerProcess.open({
    command: "redis-server",
    args: (port) => [
      ...["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
      // Otherwise a replica writes a file.
      ...["--repl-diskless-load", "on-empty-db"],
      ...args,
    ],
    // Any answer will do: a server with a password says -NOAUTH.
    ready: async (port) => /^[+-]/.test(await firstAnswer(port, "PING\r\n")),
  }, rest);
}

/** The URL of a server started by {@link startRedis}, for tests that need no password. */
export function redisUrl(server: ServerProcess, prefix: string): string {
  return `redis://127.0.0.1:${server.port}?prefix=${encodeURIComponent(prefix)}`;
}
