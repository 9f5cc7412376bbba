import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { SmallSet } from "../../../hub/bus/small_set.ts";

Deno.test("SmallSet is a set, however many items it has", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20 })), {
    maxLength: 100,
  });
  fc.assert(fc.property(steps, (steps) => {
    const [small, model] = [new SmallSet<number>(), new Set<number>()];
    for (const [adds, item] of steps) {
      const had = model.has(item);
      if (adds) model.add(item);
      else model.delete(item);
      assertEquals(adds ? small.add(item) : small.delete(item), adds ? !had : had);
      assertEquals(small.size, model.size);
      assertEquals([...small].sort(), [...model].sort());
    }
  }));
});

Deno.test("SmallSet: an iteration ends although each item deletes itself, or adds others", () => {
  for (const size of [3, 30]) {
    const set = new SmallSet<number>();
    for (let item = 0; item < size; item++) set.add(item);
    const seen: number[] = [];
    for (const item of set) {
      set.delete(item);
      seen.push(item);
    }
    assertEquals(seen, Array.from({ length: size }, (_, item) => item));
    assertEquals(set.size, 0);
  }
});
