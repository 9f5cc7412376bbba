import { assert, assertEquals } from "@std/assert";
import { Probe } from "../../../backplanes/driver/probe.ts";

const OPTIONS = { probeInterval: 10, probeTimeout: 20 };

Deno.test("Probe.since is when the last answered probe was sent, not when its answer came", async () => {
  const probe = new Probe(OPTIONS);
  const asked = Promise.withResolvers<number>();
  const again = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  let probes = 0;
  probe.start(() => {
    if (++probes > 1) again.resolve();
    asked.resolve(Date.now());
    return probes === 1 ? answer.promise : new Promise(() => {});
  }, () => {});
  const sent = await asked.promise;
  while (Date.now() <= sent + 1) await Promise.resolve();
  assertEquals(probe.since, undefined);
  answer.resolve();
  await again.promise;
  assert(probe.since !== undefined && probe.since <= sent, `${probe.since} is after ${sent}`);
  probe.stop();
});

Deno.test("Probe says once that an answer stays away, and since stays where it was", async () => {
  const probe = new Probe(OPTIONS);
  const lost = Promise.withResolvers<Error>();
  let [probes, losses] = [0, 0];
  probe.answered(1);
  probe.start(() => {
    probes++;
    return new Promise(() => {});
  }, (error) => {
    losses++;
    lost.resolve(error);
  });
  const error = await lost.promise;
  assert(error.message.includes("no answer within 20 ms"));
  assertEquals([probes, losses, probe.since], [1, 1, 1]);
});

Deno.test("Probe.answered() never puts since back", () => {
  const probe = new Probe(OPTIONS);
  for (const sent of [5, 9, 7]) probe.answered(sent);
  assertEquals(probe.since, 9);
});

Deno.test("Probe hears of no answer once it is stopped", async () => {
  const probe = new Probe(OPTIONS);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  probe.answered(1);
  probe.start(() => {
    asked.resolve();
    return answer.promise;
  }, () => {});
  await asked.promise;
  probe.stop();
  answer.resolve();
  await answer.promise;
  await Promise.resolve();
  assertEquals(probe.since, 1);
});
