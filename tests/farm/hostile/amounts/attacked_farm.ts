import type { HubServerOptions } from "@hubplane/hubplane";
import { redisUrl, startRedis } from "../../../kit/servers/redis_server.ts";
import type { ServerProcess } from "../../../kit/servers/server_process.ts";
import { randomPrefix } from "../../../kit/wait.ts";
import { MeasuredNode, type Remains } from "../measured_node.ts";
import { Canary } from "./canary.ts";

/** How long clients may do nothing: short, so that those that go in silence are found out. */
const TIMEOUT = 6000;

const OPTIONS: HubServerOptions = {
  keepAliveInterval: 1000,
  clientTimeoutInterval: TIMEOUT,
  disconnectTimeout: TIMEOUT,
  handshakeTimeout: TIMEOUT,
  transportSendTimeout: TIMEOUT,
  // What was carried out is remembered for twice as long.
  groupAckTimeout: TIMEOUT / 3,
};

/** Two nodes on Redis, of which one is attacked, with a canary on that. */
export class AttackedFarm implements AsyncDisposable {
  readonly server: string;
  readonly near: MeasuredNode;
  readonly far: MeasuredNode;
  #canary: Canary;
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
    this.#canary = parts.canary;
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
    const canary = await Canary.start(near.port, near.pid);
    return new AttackedFarm({ server, near, far, canary, redis, prefix }, stack.move());
  }

  /** The client that watches the attacked node. */
  get canary(): Canary {
    return this.#canary;
  }

  /** Resolves when the nodes hold nothing that they did not hold at their start; the canary goes meanwhile. */
  async cleared(remains?: Remains): Promise<void> {
    await this.#canary[Symbol.asyncDispose]();
    await Promise.all([this.near.cleared(remains), this.far.cleared(remains)]);
    this.#canary = await Canary.start(this.near.port, this.near.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#canary[Symbol.asyncDispose]();
    await this.#parts.disposeAsync();
  }
}
