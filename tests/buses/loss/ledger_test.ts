import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { LossLedger, type LossResult } from "./ledger.ts";

/** The counts without the gaps. */
function counts(ledger: LossLedger): Omit<LossResult, "gaps"> {
  const { gaps: _gaps, ...rest } = ledger.result();
  return rest;
}

const NONE = {
  published: 0,
  delivered: 0,
  rejected: 0,
  reportedLost: 0,
  silentlyLost: 0,
  duplicates: 0,
  outOfOrder: 0,
};

function publish(ledger: LossLedger, accepted: boolean): number {
  const sequence = ledger.publishing();
  ledger.settled(sequence, accepted);
  return sequence;
}

Deno.test("LossLedger counts a message that did not arrive as silently lost", () => {
  const ledger = new LossLedger();
  ledger.received(publish(ledger, true));
  publish(ledger, true);
  assertEquals(counts(ledger), { ...NONE, published: 2, delivered: 1, silentlyLost: 1 });
});

Deno.test("LossLedger counts a rejected publish as told, whether it arrived or not", () => {
  const ledger = new LossLedger();
  ledger.received(publish(ledger, false));
  publish(ledger, false);
  assertEquals(counts(ledger), { ...NONE, published: 2, delivered: 1, rejected: 2 });
});

Deno.test("LossLedger counts a loss as reported only if a gap touches its publish", async () => {
  const ledger = new LossLedger();
  const since = Date.now();
  publish(ledger, true);
  const until = Date.now();
  await delay(5);
  publish(ledger, true);
  ledger.reported({ since: since - 10, until: since - 1 });
  assertEquals(counts(ledger), { ...NONE, published: 2, silentlyLost: 2 });
  ledger.reported({ since: until, until });
  assertEquals(counts(ledger), { ...NONE, published: 2, reportedLost: 1, silentlyLost: 1 });
});

Deno.test("LossLedger counts what arrives twice or late", () => {
  const ledger = new LossLedger();
  const [first, second] = [publish(ledger, true), publish(ledger, true)];
  for (const sequence of [second, first, second]) ledger.received(sequence);
  assertEquals(counts(ledger), {
    ...NONE,
    published: 2,
    delivered: 2,
    duplicates: 1,
    outOfOrder: 1,
  });
});
