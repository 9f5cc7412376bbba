/**
 * The list of ASP.NET Core's tests is kept true: what it points to exists.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../../kit/graph.ts";
import { TRANSCRIPTS } from "../wire/transcripts.ts";
import * as buffersAndProtocols from "./cases/buffers_and_protocols.ts";
import * as httpConnections from "./cases/http_connections.ts";
import * as hubConnectionHandler from "./cases/hub_connection_handler.ts";
import { TRANSCRIPTS_FILE, type UpstreamCase } from "./cases/upstream_case.ts";

const CASES: readonly (readonly [name: string, UpstreamCase])[] = [
  httpConnections,
  hubConnectionHandler,
  buffersAndProtocols,
].flatMap((suites) => Object.values(suites).flatMap((suite) => Object.entries(suite)));

const TESTS = new URL("tests/", ROOT);

/** Whether a file has a text of its own that is that title, perhaps in two pieces. */
async function hasTitle(file: string, title: string): Promise<boolean> {
  const text = (await Deno.readTextFile(new URL(file, TESTS))).replaceAll(/" \+\s+"/g, "");
  return text.includes(`"${title}"`) || text.includes(`\`${title}\``);
}

Deno.test("every test of ours that stands for one of upstream's exists", async () => {
  for (const [name, { shownBy }] of CASES) {
    for (const { file, title } of shownBy) {
      const exists = file === TRANSCRIPTS_FILE
        ? TRANSCRIPTS.some((transcript) => transcript.name === title)
        : await hasTitle(file, title);
      assert(exists, `${name}: ${file} has no test ${title}`);
    }
  }
});

Deno.test("every test of upstream's is shown by one of ours, or what is otherwise is", () => {
  assert(CASES.length > 200, `${CASES.length} cases`);
  for (const [name, { shownBy, why }] of CASES) {
    assert(shownBy.length > 0, `${name} is shown by nothing`);
    assert(why !== "", `${name} is otherwise, and does not say why`);
  }
});

Deno.test("every test in this folder stands for one of upstream's", async () => {
  const used = new Set(CASES.flatMap(([, { shownBy }]) => shownBy.map(({ title }) => title)));
  const titles: string[] = [];
  for await (const { name } of Deno.readDir(new URL("nodes/upstream/", TESTS))) {
    if (!name.endsWith("_test.ts") || name === "cases_test.ts") continue;
    const text = await Deno.readTextFile(new URL(`nodes/upstream/${name}`, TESTS));
    for (
      const [, , title = ""] of text.matchAll(/(?:Deno\.test|onEachServer)\(\s*(["`])(.*?)\1/g)
    ) {
      titles.push(title);
    }
  }
  assert(titles.length > 25, `${titles.length} titles`);
  assertEquals(titles.filter((title) => !used.has(title)), []);
});
