import { assertEquals, assertThrows } from "@std/assert";
import { RecentNames } from "../../../hub/routing/recent_names.ts";

Deno.test("RecentNames makes the name of an id once, as long as it is wanted now and then", () => {
  const made: string[] = [];
  const names = new RecentNames((id) => {
    made.push(id);
    return `hub:connection:${id}`;
  }, 3);
  for (let round = 0; round < 10; round++) {
    for (const id of ["a", "b", `new${round}`]) assertEquals(names.of(id), `hub:connection:${id}`);
    assertEquals(names.size <= 6, true);
  }
  assertEquals(made.filter((id) => id === "a" || id === "b"), ["a", "b"]);
  assertEquals(made.length, 12);
});

Deno.test("RecentNames remembers nothing of an id that cannot be one", () => {
  const names = new RecentNames((id) => {
    if (id === "") throw new RangeError("empty");
    return `hub:connection:${id}`;
  });
  for (let time = 0; time < 2; time++) assertThrows(() => names.of(""), RangeError, "empty");
  assertEquals(names.size, 0);
});
