/** No silent loss; `LOSS_RUNS=20 deno test -A tests/buses/nats/loss_test.ts` runs each fault 20 times. */
import { assert } from "@std/assert";
import { delay } from "@std/async";
import { assertReported } from "../loss/assert_reported.ts";
import { serverFaults } from "../loss/server_faults.ts";
import type { LossResult, LossRun } from "../loss/run_loss.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import { randomPrefix } from "../../kit/wait.ts";

type Fault = (server: ServerProcess, run: LossRun, proxy: CuttingProxy) => Promise<void>;

/** Publishes every 10 ms over `fault`, to a server of its own, straight or through a proxy. */
function lossOf(
  name: string,
  fault: Fault,
  { config = "", proxied = false } = {},
): Promise<LossResult> {
  return assertReported(name, async (once) => {
    const file = await Deno.makeTempFile({ suffix: ".conf" });
    await Deno.writeTextFile(file, config);
    await using server = await startNats({ args: ["--config", file] });
    using proxy = new CuttingProxy(server.port);
    const prefix = randomPrefix("");
    const result = await once({
      url: proxied ? `nats://127.0.0.1:${proxy.port}?prefix=${prefix}` : natsUrl(server, prefix),
      duration: 4000,
      publishEvery: 10,
      fault: (run) => fault(server, run, proxy),
    });
    await Deno.remove(file);
    return result;
  });
}

serverFaults("NatsBackplane", lossOf).forEach((test) => Deno.test(test));

Deno.test("NatsBackplane loses nothing in silence when its connections are cut", async () => {
  const result = await lossOf("cut", async (_server, _run, proxy) => {
    for (let cut = 0; cut < 5; cut++) {
      // The oldest connection alone, which is the subscriber's at first; then both.
      proxy.cut(cut % 2 === 0 ? 1 : undefined);
      await delay(300);
    }
  }, { proxied: true });
  assert(result.gaps.length > 0);
});

Deno.test("NatsBackplane loses nothing in silence when its subscriber is too slow for the server", async () => {
  const config = `write_deadline: "100ms"\nmax_pending: 2000000\n`;
  const result = await lossOf("slow consumer", async (_server, run) => {
    await run.block(1500);
    for (let turn = 0; turn < 20; turn++) {
      await Promise.all(Array.from({ length: 20 }, () => run.publish(64 * 1024)));
      await delay(20);
    }
  }, { config });
  assert(result.gaps.length > 0);
});
