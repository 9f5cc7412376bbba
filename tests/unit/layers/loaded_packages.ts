/**
 * Prints which npm packages are loaded: after importing the library, and after opening each URL among
 * the arguments.
 *
 * @module
 */
import { createRequire } from "node:module";
import { openBackplane } from "@hubplane/hubplane";

/** Both clients are CommonJS, so what has been loaded of them is in the cache of `require`. */
function loadedPackages(): string[] {
  const files = Object.keys(createRequire(import.meta.url).cache);
  const names = files.map((file) => {
    const folders = file.split("/");
    const version = folders.findIndex((folder) => /^\d+\.\d+\.\d+/.test(folder));
    const scope = folders[version - 2]?.startsWith("@") ? `${folders[version - 2]}/` : "";
    return version < 1 ? file : scope + folders[version - 1];
  });
  return [...new Set(names)].sort();
}

const loaded = [loadedPackages()];
for (const url of Deno.args) {
  const backplane = await openBackplane(url);
  loaded.push(loadedPackages());
  await backplane.close();
}
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(loaded)));
