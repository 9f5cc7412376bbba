import { checkHubName, type Hub, type HubMethods } from "../definition/hub.ts";

/** The hub that the path of a request belongs to. */
export interface PathMatch<L> {
  readonly hub: L;
  /** Whether the path ends in `/negotiate`. */
  readonly negotiating: boolean;
}

/** The hubs by path. Paths ignore case, as upstream; one hub may have several paths. */
export class HubPaths<L> {
  /** The hubs, each once. */
  readonly distinct: readonly L[];
  readonly #basePath: string;
  readonly #byPath = new Map<string, L>();

  /**
   * Starts each hub once, with its name.
   *
   * @throws {TypeError} if a path is malformed, or two different hubs have one name.
   */
  constructor(
    hubs: Readonly<Record<string, Hub<HubMethods>>>,
    basePath: string,
    start: (hub: Hub<HubMethods>, name: string) => L,
  ) {
    this.#basePath = normalize(basePath);
    const live = new Map<Hub<HubMethods>, L>();
    const names = new Set<string>();
    for (const [path, hub] of Object.entries(hubs ?? {})) {
      const task = `Cannot serve hub at ${JSON.stringify(path)}`;
      if (!/^\/.*[^/]$/.test(path)) {
        throw new TypeError(`${task}: a path starts with "/" and has no trailing slash`);
      }
      if (this.#byPath.has(normalize(path))) throw new TypeError(`${task}: the path is taken`);
      let started = live.get(hub);
      if (started === undefined) {
        const name = hub.name ?? path.slice(1);
        checkHubName(name);
        if (names.has(name)) {
          throw new TypeError(`Cannot serve two hubs of one name: ${JSON.stringify(name)}`);
        }
        names.add(name);
        live.set(hub, started = start(hub, name));
      }
      this.#byPath.set(normalize(path), started);
    }
    if (live.size === 0) throw new TypeError("Cannot create hub server: hubs is empty");
    this.distinct = [...live.values()];
  }

  /** The hub at a path of `hubs`. */
  get(path: string): L | undefined {
    return path.startsWith("/") ? this.#byPath.get(normalize(path)) : undefined;
  }

  /** Whether a hub is at `pathname`, or `pathname` lies below the path of a hub. */
  covers(pathname: string): boolean {
    const path = `${pathname.toLowerCase()}/`;
    return [...this.#byPath.keys()].some((hub) => path.startsWith(`${this.#basePath}${hub}/`));
  }

  /** The hub for a request to `pathname`; a slash at the end is ignored, as upstream. */
  match(pathname: string): PathMatch<L> | undefined {
    let path = pathname.toLowerCase();
    if (path.endsWith("/")) path = path.slice(0, -1);
    if (!path.startsWith(this.#basePath)) return undefined;
    path = path.slice(this.#basePath.length);
    const hub = this.#byPath.get(path);
    if (hub !== undefined) return { hub, negotiating: false };
    if (!path.endsWith(NEGOTIATE)) return undefined;
    const negotiated = this.#byPath.get(path.slice(0, -NEGOTIATE.length));
    return negotiated === undefined ? undefined : { hub: negotiated, negotiating: true };
  }
}

const NEGOTIATE = "/negotiate";

/** The path as a URL has it, in lower case. */
function normalize(path: string): string {
  return path === "" ? "" : new URL(path, "http://localhost").pathname.toLowerCase();
}
