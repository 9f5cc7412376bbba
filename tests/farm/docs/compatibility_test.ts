import { assert, assertEquals, assertMatch } from "@std/assert";
import { ROOT } from "../../kit/graph.ts";

/** The sections of the contract with clients, and of that between nodes. */
const SECTIONS = {
  "Between client and server": [
    ...["1", "2", "3.1", "3.2", "3.3", "3.4", "4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "5"],
    ...["6", "7", "8.1", "8.2", "8.3", "8.4", "8.5", "8.6", "9.1", "9.2", "9.3", "9.4", "9.5"],
    ...["9.6", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19"],
  ],
  "Between nodes": ["1", "2", "3", "3.1", "3.2", "4", "5", "6", "7", "8", "9", "10", "11"],
} as const;

/** The cells of a section's table, without its head. */
async function rowsUnder(heading: string): Promise<string[][]> {
  const page = await Deno.readTextFile(new URL("docs/compatibility.md", ROOT));
  const [, rest = ""] = page.split(`\n## ${heading}\n`);
  const [section = ""] = rest.split("\n## ");
  return section.split("\n").filter((line) => /^\| \d/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

for (const [heading, sections] of Object.entries(SECTIONS)) {
  Deno.test(`docs/compatibility.md says what became of each section: ${heading}`, async () => {
    const rows = await rowsUnder(heading);
    assertEquals(rows.map(([section]) => section), [...sections]);
    for (const [section, , here = "", why = ""] of rows) {
      assertMatch(here, /^(same|different|as 11)$/, section);
      assert(here === "same" || why !== "", `§${section} is ${here}, and does not say why`);
    }
  });

  Deno.test(`docs/compatibility.md names tests that exist: ${heading}`, async () => {
    for (const [section, , , , shownBy = ""] of await rowsUnder(heading)) {
      // A section may have nothing to test, and then says why.
      if (/^none: \w/.test(shownBy)) continue;
      for (const quoted of shownBy.split(", ")) {
        const [, name] = /^`([\w/.]+)`$/.exec(quoted) ?? [];
        assert(name !== undefined, `§${section} is shown by ${JSON.stringify(quoted)}`);
        assert(await hasTests(name), `§${section} is shown by tests/${name}, which has no tests`);
      }
    }
  });
}

/** Whether that is a file of tests, or a folder with one, under `tests/`. */
async function hasTests(name: string): Promise<boolean> {
  const path = new URL(`tests/${name}`, ROOT);
  try {
    const { isFile } = await Deno.stat(path);
    return isFile
      ? name.endsWith("_test.ts")
      : [...Deno.readDirSync(path)].some((entry) => entry.name.endsWith("_test.ts"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("docs/compatibility.md names options that docs/configuration.md has", async () => {
  const page = await Deno.readTextFile(new URL("docs/compatibility.md", ROOT));
  const configuration = await Deno.readTextFile(new URL("docs/configuration.md", ROOT));
  const [, rest = ""] = page.split("\n## Options\n");
  const [section = ""] = rest.split("\n## ");
  const names = section.split("\n").filter((line) => line.startsWith("|"))
    .flatMap((line) => /^`(?:\w+\.)?(\w+)`$/.exec(line.split("|")[3]?.trim() ?? "")?.[1] ?? []);
  assert(names.length > 18, `${names.length} options`);
  assertEquals(names.filter((name) => !configuration.includes(`| \`${name}\` `)), []);
});
