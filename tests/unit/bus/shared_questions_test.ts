import { assertEquals } from "@std/assert";
import type { RepairQuestion } from "../../../hub/bus/repair_effects.ts";
import { SharedQuestions } from "../../../hub/bus/shared_questions.ts";

function asking() {
  const asked: string[] = [];
  const leaves = { now: true };
  const shared = new SharedQuestions<string>((node, { id }) => {
    asked.push(`${node} ${id}`);
    return leaves.now;
  });
  const answered = (id: number, now: number) => shared.answered(id, now).map(([id]) => id);
  return { asked, leaves, shared, answered };
}

const index = (id: number, after = 3): RepairQuestion => (
  { kind: "askIndex", id, after, age: undefined }
);
const messages = (id: number, channel: string): RepairQuestion => (
  { kind: "askMessages", id, after: 3, age: undefined, channel }
);

Deno.test("SharedQuestions asks once what several ask, and again for those that came later", () => {
  const { asked, shared, answered } = asking();
  for (const id of [1, 2, 3]) shared.ask("a", index(id), "me", 0);
  assertEquals(asked, ["a 1"]);
  // The answer may be older than the second question.
  assertEquals(answered(1, 5), [1]);
  assertEquals(asked, ["a 1", "a 2"]);
  shared.ask("a", index(4), "me", 6);
  assertEquals(answered(2, 7), [2, 3]);
  assertEquals(answered(4, 8), [4]);
  assertEquals(asked, ["a 1", "a 2", "a 4"]);
  assertEquals(answered(4, 9), []);
});

Deno.test("SharedQuestions tells questions apart by node, kind, channel and number", () => {
  const { asked, shared } = asking();
  shared.ask("a", index(1), "me", 0);
  shared.ask("b", index(2), "me", 0);
  shared.ask("a", index(3, 4), "me", 0);
  shared.ask("a", messages(4, "x"), "me", 0);
  shared.ask("a", messages(5, "y"), "me", 0);
  shared.ask("a", { ...index(6), age: 5 }, "me", 0);
  assertEquals(asked, ["a 1", "b 2", "a 3", "a 4", "a 5", "a 6"]);
});

Deno.test("SharedQuestions asks again what was not answered in 250 ms", () => {
  const { asked, leaves, shared, answered } = asking();
  shared.ask("a", index(1), "me", 0);
  shared.ask("a", index(2), "me", 249);
  leaves.now = false;
  assertEquals(shared.ask("a", index(3), "me", 250), false);
  assertEquals(asked, ["a 1", "a 3"]);
  // A late answer is one to the question that has left, and not to the one that came later.
  assertEquals(answered(1, 260), [1]);
  assertEquals(answered(3, 270), [3]);
});

Deno.test("SharedQuestions forgets the oldest of 10,000", () => {
  const { asked, shared } = asking();
  for (let id = 1; id <= 10_001; id++) shared.ask("a", index(id, id), "me", 0);
  shared.ask("a", index(20_000, 1), "me", 1);
  shared.ask("a", index(20_001, 10_001), "me", 1);
  assertEquals(asked.length, 10_002);
});

Deno.test("SharedQuestions forgets who has asked when an answer is lost, after 15 s or when nobody asks any more", () => {
  const { shared, answered } = asking();
  shared.ask("a", index(1), "me", 0);
  shared.ask("a", messages(2, "news"), "me", 10_000);
  shared.forgetOld(14_999);
  assertEquals(shared.size, 2);
  shared.forgetOld(15_000);
  assertEquals([shared.size, answered(1, 15_001), answered(2, 15_001)], [1, [], [2]]);
  shared.ask("a", index(3), "me", 20_000);
  shared.clear();
  assertEquals([shared.size, answered(3, 20_001)], [0, []]);
});
