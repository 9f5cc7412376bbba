import { assertEquals, assertStringIncludes } from "@std/assert";
import configuration from "../../../deno.json" with { type: "json" };
import { type Arrow, readArrows, ROOT } from "../../kit/graph.ts";

/** The packages that loading `file` loads: imports that leave no trace and `import()` do not count. */
async function packagesLoadedBy(file: string): Promise<string[]> {
  const arrows = await readArrows([file]);
  const loaded = arrows.filter(({ kind }) => kind === "code");
  const reached = new Set([file]);
  // A set that grows while it is walked: every file is looked at once.
  for (const module of reached) {
    for (const { from, to } of loaded) if (from === module) reached.add(to);
  }
  return packages([...reached]);
}

function packages(names: readonly string[]): string[] {
  return names.filter((name) => /^(?:npm|jsr):/.test(name)).sort();
}

/** Opens each URL in turn in a process of its own; the npm packages loaded before, and after each. */
async function packagesAtRunTime(...urls: string[]): Promise<string[][]> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", `${ROOT}tests/unit/layers/loaded_packages.ts`, ...urls],
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (text === "") throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(text);
}

Deno.test("importing . loads no npm package, by the module graph", async () => {
  assertEquals(await packagesLoadedBy("mod.ts"), []);
  // The same walk does find what a driver loads.
  assertEquals(await packagesLoadedBy("backplanes/redis.ts"), ["npm:ioredis"]);
  assertEquals(await packagesLoadedBy("backplanes/nats.ts"), ["npm:nats"]);
});

Deno.test("importing ./listen loads ws, and neither hubs nor drivers", async () => {
  assertEquals(await packagesLoadedBy("hub/listen/listen.ts"), ["npm:ws"]);
});

Deno.test("importing ./client and ./schema loads no npm package", async () => {
  for (const file of ["hub_proxy", "method"]) {
    assertEquals(await packagesLoadedBy(`hub/definition/${file}.ts`), [], file);
  }
});

Deno.test("drivers without a server, and the conformance suite, load no npm package", async () => {
  for (const file of ["memory", "broadcast_channel", "conformance"]) {
    assertEquals(await packagesLoadedBy(`backplanes/${file}.ts`), [], file);
  }
});

Deno.test("importing . loads no npm package, and openBackplane() only its driver's, at run time", async () => {
  const [imported, memory, broadcast, redis] = await packagesAtRunTime(
    "memory:",
    "broadcast:graph",
    "redis://127.0.0.1:1",
  );
  assertEquals(imported, []);
  assertEquals(memory, imported);
  assertEquals(broadcast, imported);
  assertEquals(redis?.includes("ioredis"), true);
  assertEquals(redis?.includes("nats"), false);
  const [, nats] = await packagesAtRunTime("nats://127.0.0.1:1");
  assertEquals(nats?.includes("nats"), true);
  assertEquals(nats?.includes("ioredis"), false);
});

Deno.test("published modules import npm packages that deno.json pins, and none of JSR", async () => {
  const files = Object.values(configuration.exports).map((path) => path.replace("./", ""));
  const arrows: Arrow[] = (await readArrows(files)).filter(({ from }) =>
    !from.startsWith("tests/")
  );
  const used = new Set(packages(arrows.map(({ to }) => to)));
  const pinned = Object.values(configuration.imports).map((specifier) =>
    specifier.replace(/@\^?\d.*/, "")
  );
  assertEquals([...used].sort(), pinned.sort());
});

Deno.test("the task doc-lint names every entry point", () => {
  const { command } = configuration.tasks["doc-lint"];
  for (const path of Object.values(configuration.exports)) {
    assertStringIncludes(`${command} `, ` ${path.replace("./", "")} `);
  }
});
