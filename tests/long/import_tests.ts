/**
 * Imports the tests of a folder under `tests`, all or those of one file. The environment must be set
 * before: tests read it when they are loaded.
 */
export async function importTests(folder: string, file = ""): Promise<void> {
  const url = new URL(`../${folder}/`, import.meta.url);
  for (const { name } of [...Deno.readDirSync(url)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (file === "" ? name.endsWith("_test.ts") : name === file) await import(`${url}${name}`);
  }
}
