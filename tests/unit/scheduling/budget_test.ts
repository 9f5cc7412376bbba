import { assertEquals } from "@std/assert";
import { Budget } from "../../../hub/scheduling/budget.ts";

const limits = {
  groups: { most: 2, things: "groups", option: "maximumGroupsPerConnection" },
  bytes: { most: 100, things: "bytes", option: "maximumQueuedReceiveBytes" },
};

Deno.test("Budget.take() refuses what exceeds the limit of its kind, and takes nothing then", () => {
  const budget = new Budget(limits);
  assertEquals([budget.take("groups"), budget.take("groups"), budget.take("groups")], [
    true,
    true,
    false,
  ]);
  assertEquals([budget.take("bytes", 60), budget.take("bytes", 60), budget.take("bytes", 40)], [
    true,
    false,
    true,
  ]);
  assertEquals([budget.used("groups"), budget.used("bytes")], [2, 100]);
  budget.give("groups");
  assertEquals([budget.take("groups"), budget.take("groups")], [true, false]);
});

Deno.test("Budget.exceeded() names the limit and its option", () => {
  const { name, message } = new Budget(limits).exceeded("groups");
  assertEquals(
    [name, message],
    ["HubError", "A connection has at most 2 groups (maximumGroupsPerConnection)."],
  );
});
