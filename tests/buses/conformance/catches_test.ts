import { assert, assertEquals, assertRejects } from "@std/assert";
import type { BackplaneHandler } from "../../../backplanes/backplane.ts";
import { conformanceCases, type ConformanceSubject } from "../../../backplanes/conformance.ts";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import type { Defect } from "./broken.ts";
import { BROKEN_DELIVERY } from "./broken_delivery.ts";
import { BROKEN_FAULTS } from "./broken_faults.ts";
import { BROKEN_LIFE } from "./broken_life.ts";
import { BROKEN_SUBSCRIPTIONS } from "./broken_subscriptions.ts";
import { losingReplies } from "./losing_replies.ts";

/** Long enough for what happens in memory; a driver that drops a message makes its case wait so long. */
const PATIENCE = 150;

/** A driver with `defect`, on a bus that can stop and hang; a hang is noticed at once. */
function subjectOf(defect: Defect, patience = PATIENCE): ConformanceSubject {
  return losingReplies(defect, patience);
}

/** Checks that the case called `name`, and it by what it looks for, fails. */
async function assertCatches(name: string, subject: ConformanceSubject): Promise<void> {
  const found = conformanceCases.find((each) => each.name === name);
  assert(found !== undefined, `There is no case called ${name}`);
  const thrown = await assertRejects(() => found.run(subject), Error);
  // A driver that cannot even be closed spoils the end of its trial too.
  const error = thrown instanceof SuppressedError ? thrown.suppressed : thrown;
  assertEquals(error.name, "ConformanceError", `${error}`);
}

const THROWS = "a handler that throws is logged and harms nobody";
const UNLOGGED = "a refusal that nobody waits for is logged";

const BROKEN = [...BROKEN_DELIVERY, ...BROKEN_SUBSCRIPTIONS, ...BROKEN_LIFE, ...BROKEN_FAULTS];

/** The cases that a test of its own in this file proves, and one that only a runner's sanitizers can fail. */
const PROVEN_ELSEWHERE = [
  THROWS,
  UNLOGGED,
  "two prefixes are isolated",
  "a message reaches every other instance",
  "a hung bus is noticed within probeInterval + probeTimeout",
  "a hung bus is noticed in time after the date was set back",
  "publish() to a hung bus rejects within publishTimeout and arrives at most once",
  "a handler that publishes is not called again before it returns",
  "20 instances opened, used and closed leave no timer and no socket behind",
];

Deno.test("conformanceCases each have a broken driver that fails them", () => {
  const proven = new Set([...PROVEN_ELSEWHERE, ...BROKEN.flatMap(({ caughtBy }) => caughtBy)]);
  assertEquals(conformanceCases.map(({ name }) => name).filter((name) => !proven.has(name)), []);
});

for (
  const { wrong, caughtBy, defect } of BROKEN
) {
  for (const name of caughtBy) {
    Deno.test(`conformanceCases catch a driver that ${wrong}: ${name}`, async () => {
      await assertCatches(name, subjectOf(defect));
    });
  }
}

Deno.test("conformanceCases catch a driver that ignores its prefix", async () => {
  const bus = new MemoryBus();
  await assertCatches("two prefixes are isolated", {
    patience: PATIENCE,
    open: (_prefix, options) => new MemoryBackplane(bus, options),
  });
});

Deno.test("conformanceCases catch a driver whose instances are alone", async () => {
  await assertCatches("a message reaches every other instance", {
    patience: PATIENCE,
    open: (prefix, options) => new MemoryBackplane("", { ...options, prefix }),
  });
});

Deno.test("conformanceCases catch a driver that does not log a throwing handler", async () => {
  const bus = new MemoryBus();
  await assertCatches(THROWS, {
    patience: PATIENCE,
    open: (prefix, options) => new MemoryBackplane(bus, { ...options, prefix, logger: silent }),
  });
});

const silent = { error() {}, warn() {} };

Deno.test("conformanceCases catch a driver that does not log a refusal", async () => {
  const subject = subjectOf(() => ({}));
  await assertCatches(UNLOGGED, {
    ...subject,
    open: (prefix, options) => subject.open(prefix, { ...options, logger: silent }),
  });
});

Deno.test("conformanceCases catch a driver that does not notice a hung bus", async (t) => {
  let hung = false;
  const bus = new MemoryBus();
  const hanging: Defect = (sound) => ({
    publish: (channel, payload) => hung ? new Promise(() => {}) : sound.publish(channel, payload),
  });
  const subject: ConformanceSubject = {
    ...subjectOf(hanging),
    bus: {
      stop: () => bus.stop(),
      start: () => bus.start(),
      pause: () => void (hung = true),
      resume: () => void (hung = false),
    },
  };
  for (
    const name of [
      "a hung bus is noticed within probeInterval + probeTimeout",
      "a hung bus is noticed in time after the date was set back",
      "publish() to a hung bus rejects within publishTimeout and arrives at most once",
    ]
  ) await t.step(name, () => assertCatches(name, subject));
});

Deno.test("conformanceCases catch a driver that delivers inside publish()", async () => {
  const handlers = new Map<string, BackplaneHandler>();
  const inside: Defect = (sound) => ({
    publish: (channel, payload) => {
      handlers.get(channel)?.(payload);
      return Promise.resolve(undefined);
    },
    subscribe: (channel, handler) => {
      handlers.set(channel, handler);
      return sound.subscribe(channel, handler);
    },
  });
  const name = "a handler that publishes is not called again before it returns";
  await assertCatches(name, subjectOf(inside));
});

Deno.test("conformanceCases pass a sound driver in the same wrapping", async (t) => {
  const subject = subjectOf(() => ({}), 1000);
  for (const { name, run } of conformanceCases) await t.step(name, () => run(subject));
});
