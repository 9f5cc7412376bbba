import type { Backplane } from "../../../backplanes/backplane.ts";
import {
  type ConformanceBus,
  conformanceCases,
  type ConformanceSubject,
} from "../../../backplanes/conformance.ts";
import type { BackplaneOptions } from "../../../backplanes/driver/options.ts";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { NatsBackplane } from "../../../backplanes/nats.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { SeveralBackplanes } from "../../../backplanes/several.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import { untilStatus } from "../../kit/wait.ts";
import { WithoutCopies } from "./without_copies.ts";

Deno.test("SeveralBackplanes over two memory buses passes the conformance suite", async (t) => {
  const buses = [new MemoryBus(), new MemoryBus()];
  const subject: ConformanceSubject = {
    open(prefix, options) {
      const backplanes = buses.map((bus) => new MemoryBackplane(bus, { ...options, prefix }));
      return new WithoutCopies(new SeveralBackplanes(backplanes, options));
    },
    bus: {
      stop: () => buses.forEach((bus) => bus.stop()),
      start: () => buses.forEach((bus) => bus.start()),
    },
    faults: { outage: 100 },
  };
  for (const { name, needs, run } of conformanceCases) {
    if (needs === undefined || needs === "stop") await t.step(name, () => run(subject));
  }
});

/**
 * The cases that do not hold of two real servers. When both come back, one node may reach the one first, and
 * another node the other: until both have both, they do not hear each other. Hubs repair such holes.
 */
const WITHOUT = [
  "nothing is lost in silence over a restart",
  "nothing is lost in silence over a hang",
];

Deno.test("SeveralBackplanes over Redis and NATS passes the conformance suite", async (t) => {
  const user = "default on nopass resetchannels &*[^!] ~* +@all";
  await using redis = await startRedis({ args: ["--user", ...user.split(" ")] });
  // A number stands before a payload of 1 MiB.
  const file = await Deno.makeTempFile({ prefix: "hubplane-", suffix: ".conf" });
  await using _file = { [Symbol.asyncDispose]: () => Deno.remove(file) };
  await Deno.writeTextFile(file, "max_payload: 2MB");
  await using nats = await startNats({ args: ["--config", file] });
  const servers = new Servers([redis, nats]);
  const open = (prefix: string, options: BackplaneOptions) => {
    const parts = [
      new RedisBackplane(redisUrl(redis, prefix), options),
      new NatsBackplane(natsUrl(nats, prefix), options),
    ];
    servers.watch(parts);
    return new WithoutCopies(new SeveralBackplanes(parts, options));
  };
  const subject = { open, bus: servers, refusedChannel: "refused!", faults: { outage: 2000 } };
  for (const { name, needs, run } of conformanceCases) {
    if (needs !== "part" && !WITHOUT.includes(name)) await t.step(name, () => run(subject));
  }
});

/** The faults of all servers at once. They are over when every backplane is open on its server. */
class Servers implements ConformanceBus {
  readonly #servers: readonly ServerProcess[];
  readonly #backplanes = new Set<Backplane>();

  constructor(servers: readonly ServerProcess[]) {
    this.#servers = servers;
  }

  /** The servers answer again when these are open, too. */
  watch(backplanes: readonly Backplane[]): void {
    for (const backplane of backplanes) this.#backplanes.add(backplane);
  }

  stop(): Promise<void> {
    return this.#all((server) => server.stop());
  }

  async start(): Promise<void> {
    await this.#all((server) => server.start());
    await this.#open();
  }

  pause(): Promise<void> {
    return this.#all((server) => server.pause());
  }

  async resume(): Promise<void> {
    await this.#all((server) => server.resume());
    await this.#open();
  }

  async #all(change: (server: ServerProcess) => unknown): Promise<void> {
    await Promise.all(this.#servers.map(change));
  }

  async #open(): Promise<void> {
    for (const backplane of this.#backplanes) {
      if (backplane.status === "closed") this.#backplanes.delete(backplane);
      else await untilStatus(backplane, "open");
    }
  }
}
