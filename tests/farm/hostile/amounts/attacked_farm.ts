import type { HubServerOptions } from "@hubplane/hubplane";
import { redisUrl, startRedis } from "../../../kit/servers/redis_server.ts";
import type { ServerProcess } from "../../../kit/servers/server_process.ts";
import { randomPrefix } from "../../../kit/wait.ts";
import { MeasuredNode } from "../measured_node.ts";
import { Canary } from "./canary.ts";

/** The timeouts of the nodes: short, so that clients that have gone in silence are found out. */
const OPTIONS: HubServerOptions = {
  keepAliveInterval: 1000,
  clientTimeoutInterval: 3000,
  disconnectTimeout: 3000,
  handshakeTimeout: 3000,
  transportSendTimeout: 3000,
};

/** Two nodes on Redis, of which one is attacked, with a canary on that. */
export class AttackedFarm implements AsyncDisposable {
  readonly server: string;
  readonly near: MeasuredNode;
  readonly far: MeasuredNode;
  readonly canary: Canary;
  readonly redis: ServerProcess;
  /** What all channels of the nodes begin with. */
  readonly prefix: string;
  readonly #parts: AsyncDisposableStack;

  private constructor(
    parts: Pick<AttackedFarm, "server" | "near" | "far" | "canary" | "redis" | "prefix">,
    stack: AsyncDisposableStack,
  ) {
    this.server = parts.server;
    this.near = parts.near;
    this.far = parts.far;
    this.canary = parts.canary;
    this.redis = parts.redis;
    this.prefix = parts.prefix;
    this.#parts = stack;
  }

  static async start(server: string): Promise<AttackedFarm> {
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startRedis());
    const prefix = randomPrefix();
    const setting = { bus: redisUrl(redis, prefix), quiet: false };
    const start = async () => stack.use(await MeasuredNode.start(server, OPTIONS, setting));
    const [near, far] = await Promise.all([start(), start()]);
    const canary = stack.use(await Canary.start(near.port));
    return new AttackedFarm({ server, near, far, canary, redis, prefix }, stack.move());
  }

  /** Whether the attacked node is alive and serves. */
  async serves(): Promise<boolean> {
    return (await this.canary.figures()).failure === undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}
