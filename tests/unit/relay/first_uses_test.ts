import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FirstUses } from "../../../hub/relay/first_uses.ts";

const LIFETIME = 1000;

Deno.test("FirstUses never calls a token fresh whose use it has forgotten", () => {
  const step = fc.record({ wait: fc.nat(700), age: fc.nat(1500), again: fc.nat() });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const uses = new FirstUses(LIFETIME, 0);
    const used: { id: string; issued: number }[] = [];
    let now = 0;
    for (const { wait, age, again } of steps) {
      now += wait;
      const issued = now - age;
      if (uses.isFresh(issued, now)) {
        const id = `c${used.length}`;
        used.push({ id, issued });
        uses.set(id, "a", now);
      }
      const { id = "", issued: at = -Infinity } = used[again % used.length] ?? {};
      if (uses.isFresh(at, now)) assertEquals(uses.get(id), "a");
    }
  }));
});

Deno.test("FirstUses takes a token for its lifetime, and as long as it may be wrong about its age", () => {
  const uses = new FirstUses(LIFETIME, 10_000);
  for (
    const [issued, doubt, fresh] of [
      [10_000, 0, true],
      [9000, 0, true],
      [8999, 0, false],
      [8500, 500, true],
      [8499, 500, false],
      // The clock of another node may be ahead.
      [99_999, 0, true],
    ] as const
  ) {
    assertEquals(uses.isFresh(issued, 10_000, doubt), fresh, `${issued}, ${doubt}`);
  }
});

Deno.test("FirstUses remembers a use for its lifetime, and nothing after twice as long", () => {
  for (let start = 0; start < 2 * LIFETIME; start += 100) {
    const uses = new FirstUses(LIFETIME, 0);
    for (let now = 0; now < start; now += 100) uses.sweep(now);
    uses.set("c", "a", start);
    for (let now = start; now <= start + 2 * LIFETIME; now += 100) {
      uses.sweep(now);
      if (now - start < LIFETIME) assertEquals([uses.get("c"), uses.size], ["a", 1]);
    }
    assertEquals([uses.get("c"), uses.size], [undefined, 0]);
  }
});

Deno.test("FirstUses of a flood are bounded: what they push out begins nothing again", () => {
  const uses = new FirstUses(LIFETIME, 0, 100);
  uses.set("first", "a", 0);
  let most = 0;
  for (let use = 0; use < 600; use++) {
    uses.set(`c${use}`, "a", 1 + use);
    most = Math.max(most, uses.size);
  }
  assert(most <= 200, `${most} are remembered`);
  assertEquals([uses.get("first"), uses.isFresh(0, 601)], [undefined, false]);
  // New tokens are taken.
  assertEquals(uses.isFresh(600, 601), true);
});
