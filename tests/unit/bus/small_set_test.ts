import { assertEquals, fail } from "@std/assert";
import fc from "fast-check";
import { SmallSet } from "../../../hub/bus/small_set.ts";

interface Item {
  readonly name: number;
}

const ITEMS: readonly Item[] = Array.from({ length: 21 }, (_, name) => ({ name }));

Deno.test("SmallSet is a set, however many items it has", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20 })), {
    maxLength: 100,
  });
  fc.assert(fc.property(steps, (steps) => {
    const [small, model] = [new SmallSet<Item>(), new Set<Item>()];
    for (const [adds, index] of steps) {
      const item = ITEMS[index] ?? fail();
      const had = model.has(item);
      if (adds) model.add(item);
      else model.delete(item);
      assertEquals(adds ? small.add(item) : small.delete(item), adds ? !had : had);
      assertEquals(small.size, model.size);
      assertEquals(names(small), names(model));
    }
  }));
});

function names(items: Iterable<Item>): number[] {
  return [...items].map(({ name }) => name).sort((a, b) => a - b);
}

Deno.test("SmallSet: an iteration ends although each item deletes itself, or adds others", () => {
  for (const size of [1, 3, 20]) {
    const set = new SmallSet<Item>();
    for (const item of ITEMS.slice(0, size)) set.add(item);
    const seen: Item[] = [];
    for (const item of set) {
      set.delete(item);
      seen.push(item);
    }
    assertEquals(seen, ITEMS.slice(0, size));
    assertEquals(set.size, 0);
  }
});
