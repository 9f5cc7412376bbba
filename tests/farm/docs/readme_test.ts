import { assert } from "@std/assert";
import { ROOT } from "../../kit/graph.ts";
import { readSteps } from "../tutorial/markdown.ts";
import { Reader } from "../tutorial/reader.ts";

Deno.test("the quick start of README.md works as it is written", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const [, rest = ""] = readme.split("## Quick start");
  const [quickStart = ""] = rest.split("\n## ");
  const [add, ...run] = [...quickStart.matchAll(/`(deno (?:add|run) [^`]+)`/g)].map(([, c]) => c);
  const [server, client] = run;
  const block = (...lines: (string | undefined)[]) => ["```console", ...lines, "```"].join("\n");
  const page = [
    block("# terminal 1", `$ ${add}`),
    quickStart,
    block("# terminal 1", `$ ${server}`, "Listening on …"),
    block("# terminal 2", `$ ${client}`, "…", "… says hello"),
  ].join("\n");
  const steps = readSteps(page);
  assert(steps.length === 5, `found ${steps.length} steps`);
  await using reader = await Reader.begin();
  for (const step of steps) await reader.follow(step);
  await reader.terminate("terminal 1");
});
