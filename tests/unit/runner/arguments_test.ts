import { assertEquals } from "@std/assert";
import { testArguments } from "../../runner/arguments.ts";
import { countTests } from "../../runner/report.ts";

/** Tests that end while something of theirs goes on, and one that waits for it. */
const TESTS = `
Deno.test("leaves a timer", () => void setTimeout(() => {}, 100_000));
Deno.test("leaves a socket", () => void Deno.listen({ hostname: "127.0.0.1", port: 0 }));
Deno.test("leaves work", () => {
  const rsa = { name: "RSA-PSS", hash: "SHA-256", modulusLength: 4096 };
  crypto.subtle.generateKey({ ...rsa, publicExponent: new Uint8Array([1, 0, 1]) }, true, ["sign"]);
});
Deno.test("waits", () => new Promise((resolve) => setTimeout(resolve, 1)));
`;

Deno.test("testArguments() fail tests that leak a timer, a socket or work under way", async () => {
  const folder = await Deno.makeTempDir({ prefix: "hubplane-" });
  try {
    const [tests, report] = [`${folder}/leaks_test.ts`, `${folder}/report.xml`];
    await Deno.writeTextFile(tests, TESTS);
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: testArguments(report, [tests]),
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
