/**
 * The duties of every {@link Backplane} driver, as named cases for any test runner. The four drivers
 * of this package pass them, against real servers; your own driver should pass them too.
 *
 * Register them with a runner, here `Deno.test` (`test` of `node:test` works as well):
 *
 * ```ts ignore
 * import { conformanceTests } from "@hubplane/hubplane/conformance";
 * import { MemoryBackplane, MemoryBus } from "@hubplane/hubplane/memory";
 *
 * const bus = new MemoryBus();
 * await conformanceTests({
 *   open: (prefix, options) => new MemoryBackplane(bus, { ...options, prefix }),
 *   bus: { stop: () => bus.stop(), start: () => bus.start() },
 * }, (name, run) => Deno.test(`MyBackplane: ${name}`, run));
 * ```
 *
 * A case uses a random prefix and waits for events, never for a fixed time. A message that did *not*
 * arrive is proved by a later message that did. Every case leaves the bus running.
 *
 * @module
 */
import { closingCases } from "./conformance/closing.ts";
import { confirmationCases } from "./conformance/confirmation.ts";
import { deliveryCases } from "./conformance/delivery.ts";
import { hangCases } from "./conformance/hang.ts";
import { nameCases } from "./conformance/names.ts";
import { orderCases } from "./conformance/order.ts";
import { partedCases } from "./conformance/parted.ts";
import { restartCases } from "./conformance/restart.ts";
import { statusCases } from "./conformance/status.ts";
import { subscriptionCases } from "./conformance/subscriptions.ts";
import type { ConformanceCase } from "./conformance/case.ts";
import type {
  ConformanceBus,
  ConformanceFaults,
  ConformanceSubject,
} from "./conformance/subject.ts";

export type { ConformanceBus, ConformanceCase, ConformanceFaults, ConformanceSubject };
export type {
  Backplane,
  BackplaneGap,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "./backplane.ts";
export type { BackplaneLogger, BackplaneOptions } from "./driver/options.ts";

/** Every case: those without faults first. Names are unique. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...deliveryCases,
  ...nameCases,
  ...orderCases,
  ...subscriptionCases,
  ...confirmationCases,
  ...statusCases,
  ...closingCases,
  ...restartCases,
  ...hangCases,
  ...partedCases,
];

/**
 * Registers every case that the subject's bus allows: without its hooks, the cases with faults are left
 * out.
 *
 * Cases that fault the bus disturb all others on it, so a runner must not run them side by side.
 *
 * @param subject The driver under test.
 * @param test Registers or runs one test; each is awaited before the next.
 *
 * @example
 * ```ts
 * import { conformanceTests } from "@hubplane/hubplane/conformance";
 * import { MemoryBackplane } from "@hubplane/hubplane/memory";
 *
 * // Without a runner, the first case that fails throws.
 * await conformanceTests({
 *   open: (prefix, options) => new MemoryBackplane("example", { ...options, prefix }),
 * }, (_name, run) => run());
 * ```
 */
export async function conformanceTests(
  subject: ConformanceSubject,
  test: (name: string, run: () => Promise<void>) => unknown,
): Promise<void> {
  const { bus } = subject;
  const can = {
    stop: bus !== undefined,
    pause: bus?.pause !== undefined && bus.resume !== undefined,
    part: bus?.part !== undefined && bus.rejoin !== undefined,
    refuse: subject.refusedChannel !== undefined,
  };
  for (const { name, needs, run } of conformanceCases) {
    if (needs === undefined || can[needs]) await test(name, () => run(subject));
  }
}
