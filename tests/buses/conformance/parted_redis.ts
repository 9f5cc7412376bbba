import { Redis } from "ioredis";
import type { ConformanceSubject } from "../../../backplanes/conformance.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { startRedis } from "../../kit/servers/redis_server.ts";
import { firstAnswer, type ServerProcess } from "../../kit/servers/server_process.ts";
import { until } from "../../kit/wait.ts";

const UNDELAYED = ["--repl-diskless-sync-delay", "0"];

/** Instances that publish to a master and subscribe at its replica, whose link can be cut. */
export class PartedRedis implements AsyncDisposable {
  readonly subject: ConformanceSubject;
  readonly #master: ServerProcess;
  readonly #replica: ServerProcess;

  private constructor(master: ServerProcess, replica: ServerProcess) {
    this.#master = master;
    this.#replica = replica;
    const ports = { publisher: master.port, subscriber: replica.port };
    this.subject = {
      open: (prefix, options) =>
        new RedisBackplane(`redis://127.0.0.1?prefix=${prefix}`, {
          ...options,
          client: (role, client) => new Redis({ ...client, host: "127.0.0.1", port: ports[role] }),
        }),
      bus: {
        stop: () => master.stop(),
        start: () => master.start(),
        part: () => this.#follow("NO ONE"),
        rejoin: () => this.#join(),
      },
    };
  }

  static async start(): Promise<PartedRedis> {
    const server = await startRedis({ args: UNDELAYED });
    const redis = new PartedRedis(server, await startRedis({ args: UNDELAYED }));
    await redis.#join();
    return redis;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replica.stop();
    await this.#master.stop();
  }

  async #join(): Promise<void> {
    await this.#follow(`127.0.0.1 ${this.#master.port}`);
    await until(async () =>
      (await firstAnswer(this.#replica.port, "INFO replication\r\n"))
        .includes("master_link_status:up")
    );
  }

  async #follow(master: string): Promise<void> {
    await firstAnswer(this.#replica.port, `REPLICAOF ${master}\r\n`);
  }
}
