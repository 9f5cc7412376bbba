/**
 * The module graph of the project, from `deno info --json`.
 *
 * @module
 */

/** One import of one module by another. */
export interface Arrow {
  /** The importing file, from the project's root. */
  readonly from: string;
  /** What it imports: a file from the project's root, or `npm:name`, `node:name`, `jsr:@scope/name`. */
  readonly to: string;
  /** `types` leaves no trace at run time; `dynamic` is an `import()`. */
  readonly kind: "code" | "types" | "dynamic";
}

interface Dependency {
  readonly specifier: string;
  readonly isDynamic?: boolean;
  readonly code?: { readonly specifier?: string; readonly error?: string };
  readonly type?: { readonly specifier?: string; readonly error?: string };
}

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly Dependency[];
  }[];
}

/** The project's root, as a URL that ends in `/`. */
export const ROOT: string = new URL("../../", import.meta.url).href;

/** Every TypeScript file in `folder` of the project, from the project's root. */
export async function filesIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) files.push(...await filesIn(path));
    else if (entry.isFile && entry.name.endsWith(".ts")) files.push(path);
  }
  return files.sort();
}

/** Every import by a file of the project that `files` lead to. */
export async function readArrows(files: readonly string[]): Promise<Arrow[]> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = files.map((file) => `import ${JSON.stringify(ROOT + file)};\n`);
    await Deno.writeTextFile(entry, lines.join(""));
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
      cwd: new URL(ROOT),
    }).output();
    if (!success) throw new Error(`Cannot read graph: ${new TextDecoder().decode(stderr)}`);
    const graph: Graph = JSON.parse(new TextDecoder().decode(stdout));
    return graph.modules.flatMap(({ specifier, dependencies = [] }) =>
      specifier.startsWith(ROOT) ? dependencies.map((to) => arrow(specifier, to)) : []
    );
  } finally {
    await Deno.remove(entry);
  }
}

function arrow(from: string, { specifier, code, type, isDynamic }: Dependency): Arrow {
  const target = code ?? type;
  if (target?.specifier === undefined) {
    throw new Error(`Cannot read graph: ${from} imports ${specifier}: ${target?.error}`);
  }
  return {
    from: shortName(from),
    to: shortName(target.specifier),
    kind: isDynamic ? "dynamic" : code === undefined ? "types" : "code",
  };
}

function shortName(specifier: string): string {
  if (specifier.startsWith(ROOT)) return specifier.slice(ROOT.length);
  const [, registry, name] = /^(npm|jsr):\/?((?:@[^/]+\/)?[^@/]+)/.exec(specifier) ?? [];
  return name === undefined ? specifier : `${registry}:${name}`;
}
