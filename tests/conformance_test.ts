import { assertEquals } from "@std/assert";
import { BroadcastChannelBackplane } from "../backplanes/broadcast_channel.ts";
import {
  conformanceCases,
  type ConformanceSubject,
  conformanceTests,
} from "../backplanes/conformance.ts";
import { MemoryBackplane, MemoryBus } from "../backplanes/memory.ts";
import { WorkerThread } from "./broadcast_channel/worker_thread.ts";

/** Runs every case as a step, one after the other: some fault the bus that all of them use. */
async function passes(t: Deno.TestContext, subject: ConformanceSubject): Promise<void> {
  await conformanceTests(subject, (name, run) => t.step(name, run));
}

Deno.test("conformanceCases have unique names", () => {
  const names = conformanceCases.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
});

Deno.test("MemoryBackplane passes the conformance suite", async (t) => {
  const bus = new MemoryBus();
  await passes(t, {
    open: (prefix, options) => new MemoryBackplane(bus, { ...options, prefix }),
    bus: { stop: () => bus.stop(), start: () => bus.start() },
  });
});

Deno.test("BroadcastChannelBackplane passes the conformance suite in one thread", async (t) => {
  const name = crypto.randomUUID();
  await passes(t, {
    open: (prefix, options) => new BroadcastChannelBackplane(name, { ...options, prefix }),
  });
});

for (const first of ["here", "in a worker"]) {
  const where = `with its first instance ${first} and the next in another thread`;
  Deno.test(`BroadcastChannelBackplane passes the conformance suite ${where}`, async (t) => {
    const name = crypto.randomUUID();
    using thread = new WorkerThread();
    const opened = new Map<string, number>();
    await passes(t, {
      open(prefix, options) {
        const turn = opened.get(prefix) ?? 0;
        opened.set(prefix, turn + 1);
        return (turn % 2 === 0) === (first === "here")
          ? new BroadcastChannelBackplane(name, { ...options, prefix })
          : thread.open(name, { ...options, prefix });
      },
    });
  });
}
