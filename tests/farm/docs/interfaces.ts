/**
 * What the code says of its options, from `deno doc --json`.
 *
 * @module
 */
import { ROOT } from "../../kit/graph.ts";

/** One property of an interface, or a method that an application writes. */
export interface DocumentedOption {
  readonly name: string;
  readonly optional: boolean;
  /** What its `@default` tag says. */
  readonly fallback: string | undefined;
}

interface TypeReference {
  readonly repr: string;
  readonly kind: string;
  readonly value: { readonly typeName?: string; readonly typeParams?: readonly Type[] };
}

type Type = TypeReference | {
  readonly repr: string;
  readonly kind: "literal" | "union";
  readonly value: unknown;
};

interface Declaration {
  readonly kind: string;
  readonly def: {
    readonly extends?: readonly TypeReference[];
    readonly properties?: readonly Member[];
    readonly methods?: readonly Member[];
  };
}

interface Member {
  readonly name: string;
  readonly optional?: boolean;
  readonly jsDoc?: { readonly tags?: readonly { kind: string; value?: string }[] };
}

interface Documentation {
  readonly nodes: Record<string, {
    readonly symbols: readonly {
      readonly name: string;
      readonly declarations: readonly Declaration[];
    }[];
  }>;
}

/** The interfaces that `files` of the project export, with what they inherit from each other. */
export async function readInterfaces(
  files: readonly string[],
): Promise<Map<string, DocumentedOption[]>> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...files],
    cwd: new URL(ROOT),
  }).output();
  if (!success) throw new Error(`Cannot read docs: ${new TextDecoder().decode(stderr)}`);
  const { nodes }: Documentation = JSON.parse(new TextDecoder().decode(stdout));
  const found = new Map<string, Declaration["def"]>();
  for (const { symbols } of Object.values(nodes)) {
    for (const { name, declarations } of symbols) {
      const declaration = declarations.find(({ kind }) => kind === "interface");
      if (declaration !== undefined) found.set(name, declaration.def);
    }
  }
  return new Map([...found].map(([name, definition]) => [name, optionsOf(definition, found)]));
}

function optionsOf(
  definition: Declaration["def"],
  all: ReadonlyMap<string, Declaration["def"]>,
): DocumentedOption[] {
  const { properties = [], methods = [] } = definition;
  const own = [...properties, ...methods].map(({ name, optional = false, jsDoc }) => ({
    name,
    optional,
    fallback: jsDoc?.tags?.find(({ kind }) => kind === "default")?.value,
  }));
  const inherited = (definition.extends ?? []).flatMap((parent) => inheritedFrom(parent, all));
  return [...own, ...inherited.filter(({ name }) => !own.some((option) => option.name === name))];
}

/** `extends Parent`, or `extends Pick<Parent, "a" | "b">`. */
function inheritedFrom(
  { value }: TypeReference,
  all: ReadonlyMap<string, Declaration["def"]>,
): DocumentedOption[] {
  const [picked, keys] = value.typeParams ?? [];
  const parent = all.get(value.typeName === "Pick" ? picked?.repr ?? "" : value.typeName ?? "");
  if (parent === undefined) return [];
  const options = optionsOf(parent, all);
  if (value.typeName !== "Pick") return options;
  // A single key is a literal; several are a union of them.
  const literals = Array.isArray(keys?.value) ? keys.value as Type[] : [keys];
  return options.filter(({ name }) => literals.some((literal) => literal?.repr === name));
}
