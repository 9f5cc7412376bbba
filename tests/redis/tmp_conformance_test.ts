import { conformanceTests } from "../../backplanes/conformance.ts";
import { RedisBackplane } from "../../backplanes/redis.ts";
import { startRedis } from "../servers/redis_server.ts";
Deno.test("RedisBackplane passes the conformance suite", async (t) => {
  await using server = await startRedis();
  await conformanceTests({
    open: (prefix, options) =>
      new RedisBackplane(`redis://127.0.0.1:${server.port}`, { ...options, prefix }),
    bus: {
      stop: () => server.stop(),
      start: () => server.start(),
      pause: () => server.pause(),
      resume: () => server.resume(),
    },
  }, (name, run) => t.step(name, run));
});
