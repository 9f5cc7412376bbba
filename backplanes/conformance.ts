/**
 * What every {@link Backplane} driver must do, as named cases for any test runner. The four drivers
 * of this package pass them against real servers; a driver of your own should too.
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
 * A case uses channel names of its own under a random prefix, waits for events and never for luck,
 * proves that something did *not* arrive by a later message that did, and leaves the bus running.
 *
 * @module
 */
import { closingCases } from "./conformance/closing.ts";
import { deliveryCases } from "./conformance/delivery.ts";
import { hangCases } from "./conformance/hang.ts";
import { nameCases } from "./conformance/names.ts";
import { orderCases } from "./conformance/order.ts";
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

/** Every case, in an order that goes from the plain to the faulty. Names are unique. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...deliveryCases,
  ...nameCases,
  ...orderCases,
  ...subscriptionCases,
  ...statusCases,
  ...closingCases,
  ...restartCases,
  ...hangCases,
];

/**
 * Registers every case that the subject's bus allows: without hooks the faults are left out.
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
 * // Without a runner, the first case that does not hold throws.
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
    refuse: subject.refusedChannel !== undefined,
  };
  for (const { name, needs, run } of conformanceCases) {
    if (needs === undefined || can[needs]) await test(name, () => run(subject));
  }
}
