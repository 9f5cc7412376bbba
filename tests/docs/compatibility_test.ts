import { assert, assertEquals, assertMatch } from "@std/assert";
import { ROOT } from "../layers/graph.ts";

/** The sections of the contract with clients, and of that between nodes. */
const SECTIONS = {
  "Between client and server": [
    ...["1", "2", "3.1", "3.2", "3.3", "3.4", "4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "5"],
    ...["6", "7", "8.1", "8.2", "8.3", "8.4", "8.5", "8.6", "9.1", "9.2", "9.3", "9.4", "9.5"],
    ...["9.6", "10", "11", "12", "13", "14", "15", "16"],
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
      const folders = [...shownBy.matchAll(/`(\w+)`/g)].map(([, folder]) => folder);
      assert(folders.length > 0, `§${section} is shown by nothing`);
      for (const folder of folders) {
        const { isDirectory } = await Deno.stat(new URL(`tests/${folder}/`, ROOT));
        assert(isDirectory, folder);
      }
    }
  });
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
