import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CommonGaps, type Interval } from "../../../backplanes/several/common_gaps.ts";

/** An event of a bus: it is open or not from now on, and may report a gap. */
type Told = readonly [now: number, index: number, open: boolean, gap?: readonly [number, number]];

/** What two buses that are open from 0 on have in common. */
function commonOf(...told: readonly Told[]): [number, number][] {
  const gaps = new CommonGaps([true, true], 0);
  return told.flatMap(([now, index, open, gap]) => {
    const own = gap && { from: gap[0], to: gap[1] };
    return gaps.heard(index, open, own, now).map(({ from, to }): [number, number] => [from, to]);
  });
}

Deno.test("CommonGaps.heard() tells nothing while another bus is sound", () => {
  assertEquals(commonOf([10, 0, false], [20, 0, true, [9, 20]]), []);
  assertEquals(
    commonOf([10, 0, false], [20, 0, true, [9, 20]], [30, 1, false], [40, 1, true, [29, 40]]),
    [],
  );
  assertEquals(commonOf([20, 0, true, [9, 20]], [40, 0, true, [30, 40]]), []);
});

Deno.test("CommonGaps.heard() tells the gap of the first bus that is back", () => {
  assertEquals(
    commonOf([10, 0, false], [11, 1, false], [20, 1, true, [10.5, 20]], [30, 0, true, [9, 30]]),
    [[10.5, 20]],
  );
});

Deno.test("CommonGaps.heard() tells an overlap that is known only afterwards", () => {
  // The second bus is lost just after the first is back, and has lost messages since just before.
  assertEquals(
    commonOf([10, 0, false], [20, 0, true, [9, 20]], [20.5, 1, false], [30, 1, true, [19, 30]]),
    [[19, 20]],
  );
});

Deno.test("CommonGaps.heard() counts a bus that never opened as one that carries nothing", () => {
  const gaps = new CommonGaps([false, false], 0);
  assertEquals(gaps.heard(0, true, undefined, 5), []);
  assertEquals(gaps.heard(0, false, undefined, 10), []);
  assertEquals(gaps.heard(0, true, { from: 9, to: 12 }, 12), [{ from: 9, to: 12 }]);
  // From the first opening on, the second bus was not there. All of that has been told.
  assertEquals(gaps.heard(1, true, undefined, 20), []);
  assertEquals(gaps.heard(0, true, { from: 15, to: 25 }, 25), [{ from: 15, to: 20 }]);
});

/** A bus that is deaf in `outages`, knows that from the middle of each on, and tells at the end of each. */
function eventsOf(index: number, outages: readonly Interval[]): Told[] {
  return outages.flatMap(({ from, to }): Told[] => [
    [(from + to) / 2, index, false],
    [to, index, true, [from, to]],
  ]);
}

/** Outages one after the other. */
const outages = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 })),
  {
    maxLength: 12,
  },
).map((lengths) => {
  let now = 0;
  return lengths.map(([pause, length]): Interval => {
    const from = now += pause;
    return { from, to: now += length };
  });
});

const within = (time: number, intervals: readonly Interval[]) =>
  intervals.some(({ from, to }) => from <= time && time <= to);

Deno.test("CommonGaps.heard() covers each time in which all buses lose messages", () => {
  fc.assert(
    fc.property(fc.array(outages, { minLength: 2, maxLength: 4 }), (buses) => {
      const gaps = new CommonGaps(buses.map(() => true), 0);
      const events = buses.flatMap((outages, index) => eventsOf(index, outages))
        .sort(([one], [other]) => one - other);
      const told = events.flatMap(([now, index, open, gap]) =>
        gaps.heard(index, open, gap && { from: gap[0], to: gap[1] }, now)
      );
      const moments = events.flatMap(([now, , , gap]) => gap ?? [now]).flatMap((
        at,
      ) => [at, at + 0.5]);
      const deaf = (time: number) => buses.every((outages) => within(time, outages));
      for (const time of moments) {
        if (deaf(time)) assert(within(time, told), `${time} is not covered`);
      }
      // Of three buses, two may have different gaps in what the third is not yet known to have missed.
      for (const { from, to } of buses.length === 2 ? told : []) {
        assert(
          moments.some((time) => from <= time && time <= to && deaf(time)),
          `nothing is lost from ${from} to ${to}`,
        );
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("CommonGaps.heard() remembers a bounded number of gaps", () => {
  const gaps = new CommonGaps([true, true], 0);
  for (let at = 1; at <= 1000; at++) {
    gaps.heard(0, true, { from: 10 * at, to: 10 * at + 1 }, 10 * at + 1);
  }
  const told = gaps.heard(1, true, { from: 0, to: 20_000 }, 20_000);
  assert(told.length <= 16, `${told.length} gaps`);
  for (let at = 1; at <= 1000; at++) assert(within(10 * at, told), `${10 * at} is not covered`);
});
