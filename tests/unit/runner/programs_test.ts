import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  installCommand,
  installPrograms,
  missingPrograms,
  programsFor,
  searchPath,
} from "../../runner/programs.ts";

Deno.test("missingPrograms() finds a program by any of its names, in any folder of the PATH", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/second-name`, "");
    const there = { commands: ["first-name", "second-name"], package: "one" };
    const absent = { commands: ["third-name"], package: "two" };
    assertEquals(missingPrograms([there, absent], `/nowhere:${folder}`), [absent]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("searchPath() adds the folders of servers, once", () => {
  assertEquals(
    searchPath("/usr/bin:/usr/sbin"),
    "/usr/bin:/usr/sbin:/usr/local/sbin:/sbin",
  );
});

Deno.test("installCommand() names the packages", () => {
  const command = installCommand([{ commands: ["a"], package: "one" }, {
    commands: ["b"],
    package: "two",
  }]);
  assertStringIncludes(command, "apt-get install --yes --no-install-recommends one two");
});

Deno.test("installPrograms() calls apt and says whether the programs are there then", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const apt = `#!/bin/sh\nif [ "$1" = install ]; then : > "${folder}/found"; fi\n`;
    await Deno.writeTextFile(`${folder}/apt-get`, apt, { mode: 0o755 });
    const found = { commands: ["found"], package: "one" };
    assertEquals(await installPrograms([found], folder), true);
    const lost = { commands: ["lost"], package: "two" };
    assertEquals(await installPrograms([lost], folder), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("programsFor() names what the tests in these folders start", () => {
  const packages = (...paths: string[]) => programsFor(paths).map((program) => program.package);
  assertEquals(packages("tests/unit"), []);
  assertEquals(packages("tests/unit", "tests/buses/redis").includes("redis-server"), true);
  assertEquals(
    packages("tests/unit", "tests/buses/redis").includes("chromium-headless-shell"),
    false,
  );
  assertEquals(packages("tests/unit", "tests/farm").includes("chromium-headless-shell"), true);
  assertEquals(packages("docs").includes("chromium-headless-shell"), true);
});
