/**
 * Test files that share a worker.
 *
 * Deno starts a worker for each test file, which costs 0.3 s of CPU: more than most files in
 * `tests/unit` take. A bundle imports many files, so that these are tests of one worker. Reports still
 * name the file that each test is in.
 *
 * @module
 */

/** Writes `count` bundles of all test files in the folders of `paths` into `folder`. */
export async function writeBundles(
  folder: string,
  paths: readonly string[],
  count: number,
): Promise<string[]> {
  const files = (await Promise.all(paths.map(testsIn))).flat().sort();
  return await Promise.all(
    Array.from({ length: count }, async (_, bundle) => {
      const imports = files.filter((_, index) => index % count === bundle)
        .map((file) =>
          `import ${JSON.stringify(new URL(`../../${file}`, import.meta.url).href)};\n`
        );
      const path = `${folder}/bundle_${bundle}_test.ts`;
      await Deno.writeTextFile(path, imports.join(""));
      return path;
    }),
  );
}

/** The test files in a folder, from the project's root. */
async function testsIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) files.push(...await testsIn(`${folder}/${name}`));
    else if (name.endsWith("_test.ts")) files.push(`${folder}/${name}`);
  }
  return files;
}
