import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { bounded } from "../../kit/wait.ts";
import { gapSince, now } from "../../../backplanes/driver/moment.ts";
import { Probe } from "../../../backplanes/driver/probe.ts";

const OPTIONS = { probeInterval: 10, probeTimeout: 20 };
const FIRST = { steady: 1, epoch: 1 };
const HOUR = 3_600_000;

/** Sets the system's clock by `difference` milliseconds until the returned object is disposed. */
function setClock(difference: number): Disposable {
  const { now } = Date;
  Date.now = () => now() + difference;
  return { [Symbol.dispose]: () => void (Date.now = now) };
}

Deno.test("Probe.since is when the last answered probe was sent, not when its answer came", async () => {
  const probe = new Probe(OPTIONS);
  const asked = Promise.withResolvers<number>();
  const again = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  let probes = 0;
  probe.start(() => {
    if (++probes > 1) again.resolve();
    asked.resolve(performance.now());
    return probes === 1 ? answer.promise : new Promise(() => {});
  }, () => {});
  const sent = await asked.promise;
  while (performance.now() <= sent + 1) await Promise.resolve();
  assertEquals(probe.since, undefined);
  answer.resolve();
  await again.promise;
  assert(
    probe.since !== undefined && probe.since.steady <= sent,
    `${probe.since?.steady} is after ${sent}`,
  );
  probe.stop();
});

Deno.test("Probe.roundTrip is how long the last answered probe took, also after an outage", async () => {
  const probe = new Probe(OPTIONS);
  assertEquals(probe.roundTrip, undefined);
  const silent = Promise.withResolvers<void>();
  let probes = 0;
  const begun = performance.now();
  probe.start(async () => {
    if (++probes > 1) {
      silent.resolve();
      return new Promise(() => {});
    }
    const sent = performance.now();
    while (performance.now() < sent + 3) await delay(1);
  }, () => {});
  await silent.promise;
  const elapsed = performance.now() - begun;
  probe.stop();
  const { roundTrip = 0 } = probe;
  assert(roundTrip >= 3 && roundTrip <= elapsed, `${roundTrip} of ${elapsed} ms`);
  // A confirmed subscription is no probe.
  probe.answered(now());
  assertEquals(probe.roundTrip, roundTrip);
});

Deno.test("Probe says once that an answer stays away, and since stays where it was", async () => {
  const probe = new Probe(OPTIONS);
  const lost = Promise.withResolvers<Error>();
  let [probes, losses] = [0, 0];
  probe.answered(FIRST);
  probe.start(() => {
    probes++;
    return new Promise(() => {});
  }, (error) => {
    losses++;
    lost.resolve(error);
  });
  const error = await lost.promise;
  assert(error.message.includes("no answer within 20 ms"));
  assertEquals([probes, losses, probe.since], [1, 1, FIRST]);
});

Deno.test("Probe.answered() never puts since back", () => {
  const probe = new Probe(OPTIONS);
  // The system's clock may be set back.
  for (const steady of [5, 9, 7]) probe.answered({ steady, epoch: 1000 - steady });
  assertEquals(probe.since?.steady, 9);
});

Deno.test("Probe hears of no answer once it is stopped", async () => {
  const probe = new Probe(OPTIONS);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  probe.answered(FIRST);
  probe.start(() => {
    asked.resolve();
    return answer.promise;
  }, () => {});
  await asked.promise;
  probe.stop();
  answer.resolve();
  await answer.promise;
  await Promise.resolve();
  assertEquals(probe.since, FIRST);
});

Deno.test("Probe goes on probing when the system's clock is set back", async () => {
  const probe = new Probe(OPTIONS);
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const answer = Promise.withResolvers<void>();
  let probes = 0;
  probe.start(() => {
    (++probes === 1 ? first : second).resolve();
    return answer.promise;
  }, () => {});
  await first.promise;
  using _clock = setClock(-HOUR);
  answer.resolve();
  await bounded(second.promise);
  probe.stop();
});

for (const [how, difference] of [["back", -HOUR], ["forward", HOUR]] as const) {
  Deno.test(`gapSince() covers the whole gap when the system's clock is set ${how} in it`, () => {
    const since = now();
    const begun = Date.now();
    using _clock = setClock(difference);
    const gap = gapSince(since);
    assert(gap.since <= Math.min(begun, begun + difference) + 1, JSON.stringify(gap));
    assert(gap.until >= gap.since && gap.until <= Date.now(), JSON.stringify(gap));
    // A gap is not longer than the clock's own jump.
    assert(gap.until - gap.since < Math.max(0, difference) + 1000, JSON.stringify(gap));
  });
}

Deno.test("gapSince() begins no later than the date at its begin, to the millisecond", () => {
  for (let tries = 0; tries < 2000; tries++) {
    const since = now();
    using _clock = setClock(-HOUR);
    const begun = Date.now();
    while (Date.now() === begun && tries % 10 === 0);
    const gap = gapSince(since);
    assert(gap.since <= begun, `${gap.since} is after ${begun}`);
  }
});

Deno.test("gapSince() begins no later because the node was held up between its two clocks", () => {
  const since = now();
  const begun = Date.now();
  const { now: date } = Date;
  Date.now = () => {
    const before = date();
    while (date() < before + 20);
    return date() - HOUR;
  };
  using _restored = { [Symbol.dispose]: () => void (Date.now = date) };
  assert(gapSince(since).since <= begun - HOUR + 1);
});
