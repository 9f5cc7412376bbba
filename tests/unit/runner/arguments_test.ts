import { assertEquals } from "@std/assert";
import { pathsOf, type Suite, SUITES, testArguments } from "../../runner/arguments.ts";
import { filesIn } from "../../kit/graph.ts";
import { countTests } from "../../runner/report.ts";

/** Tests that end while something of theirs goes on, and one that waits for it. */
const TESTS = `
Deno.test("leaves a timer", () => void setTimeout(() => {}, 100_000));
Deno.test("leaves a socket", () => void Deno.listen({ hostname: "127.0.0.1", port: 0 }));
Deno.test("leaves work", () => {
  const rsa = { name: "RSA-PSS", hash: "SHA-256", modulusLength: 2048 };
  crypto.subtle.generateKey({ ...rsa, publicExponent: new Uint8Array([1, 0, 1]) }, true, ["sign"]);
});
Deno.test("waits", () => new Promise((resolve) => setTimeout(resolve, 1)));
`;

const NOTHING: Suite = { bundled: ["here"], paths: ["there"], args: [] };

Deno.test("testArguments() fail tests that leak a timer, a socket or work under way", async () => {
  const folder = await Deno.makeTempDir({ prefix: "hubplane-" });
  try {
    const [tests, report] = [`${folder}/leaks_test.ts`, `${folder}/report.xml`];
    await Deno.writeTextFile(tests, TESTS);
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [...testArguments(NOTHING, [tests]), `--junit-path=${report}`],
      cwd: folder,
      stdout: "null",
      stderr: "null",
    }).output();
    const counts = countTests(await Deno.readTextFile(report), code);
    assertEquals(counts, { passed: 1, failed: 3, skipped: 0 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("pathsOf() are the paths that were given, or else all of the suite", () => {
  assertEquals(pathsOf(NOTHING, ["tests/unit", "--filter", "a word"]), ["tests/unit"]);
  assertEquals(pathsOf(NOTHING, ["--filter", "a word"]), ["here", "there"]);
});

Deno.test("testArguments() keep the options that were given", () => {
  const args = testArguments(NOTHING, ["--filter", "a word"]);
  assertEquals(args.slice(-4), ["--filter", "a word", "here", "there"]);
});

Deno.test("every folder with tests belongs to a suite", async () => {
  const paths = Object.values(SUITES).flatMap((suite) => pathsOf(suite, []));
  const outside = (await filesIn("tests"))
    .filter((file) => file.endsWith("_test.ts"))
    .filter((file) => !paths.some((path) => file.startsWith(`${path}/`)));
  assertEquals(outside, []);
});
