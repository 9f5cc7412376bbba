import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ROOT } from "../../kit/graph.ts";
import { isShownAs, readSteps } from "./markdown.ts";
import { Reader } from "./reader.ts";

const PAGE = new URL("docs/tutorial.md", ROOT);

Deno.test("every step and file of docs/tutorial.md does what the page says", async () => {
  const steps = readSteps(await Deno.readTextFile(PAGE));
  assert(steps.length > 20, `only ${steps.length} steps were found`);
  await using reader = await Reader.begin();
  for (const step of steps) await reader.follow(step);
});

Deno.test("Reader.follow() fails when a program shows something else than the page", async () => {
  await using reader = await Reader.begin();
  for (const shown of ["three", "o…e tow", "one"]) {
    const page = `\`\`\`console\n# terminal 1\n$ echo one two\n${shown}\n\`\`\`\n`;
    const [step] = readSteps(page);
    assert(step !== undefined);
    await assertRejects(() => reader.follow(step), Error, 'instead came "one two"');
  }
});

Deno.test("readSteps() reads files, commands, input, interruptions and output", () => {
  const page = [
    ...["**`a.ts`**", "", "```ts ignore", "one();", "```", ""],
    ...["```console", "# terminal 2", "$ run it", "> type", "see…", "^C", "```"],
  ].join("\n");
  assertEquals(readSteps(page), [
    { type: "file", name: "a.ts", text: "one();\n" },
    {
      type: "terminal",
      terminal: "terminal 2",
      lines: [
        { type: "run", text: "run it", at: 9 },
        { type: "type", text: "type", at: 10 },
        { type: "see", text: "see…", at: 11 },
        { type: "interrupt", text: "", at: 12 },
      ],
    },
  ]);
});

Deno.test("readSteps() refuses a block that nobody would execute", () => {
  assertThrows(() => readSteps("text\n\n```ts\none();\n```\n"), SyntaxError, "no file name");
  assertThrows(() => readSteps("```console\n$ ls\n```\n"), SyntaxError, "terminal");
});

Deno.test("isShownAs() takes … for anything and all else literally", () => {
  assert(isShownAs("a (b) c.d", "a (b) …d"));
  assert(isShownAs("", "…"));
  assert(!isShownAs("a b", "a"));
  assert(!isShownAs("axb", "a.b"));
});
