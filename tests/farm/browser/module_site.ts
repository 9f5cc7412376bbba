import { stripTypeScriptTypes } from "node:module";
import signalr from "@microsoft/signalr/dist/browser/signalr.min.js" with { type: "text" };
import messagepack from "@microsoft/signalr-protocol-msgpack/dist/browser/signalr-protocol-msgpack.min.js" with {
  type: "text",
};

const SCRIPT = { "content-type": "text/javascript; charset=utf-8" };
const PAGE =
  "<!doctype html><script src=/signalr.js></script><script src=/messagepack.js></script>";

/** What the client's bundles for browsers define, as the modules that tests import. */
const BUNDLES: Readonly<Record<string, string>> = {
  "@microsoft/signalr": exporting("signalR", await import("@microsoft/signalr")),
  "@microsoft/signalr-protocol-msgpack": exporting(
    "signalR.protocols.msgpack",
    await import("@microsoft/signalr-protocol-msgpack"),
  ),
};

function exporting(object: string, module: object): string {
  const names = Object.keys(module).filter((name) => !["default", "module.exports"].includes(name));
  return `export const { ${names.join(", ")} } = globalThis.${object};`;
}

/** What a module imports, once its types are gone; the examples in its comments do not begin a line. */
const IMPORT = /^(import\s*|(?:import|export)\b[^;"]*?\bfrom\s*)"([^"]+)"/gm;

/**
 * Serves a module of the tests, and all that it imports, to pages with the official client's bundles
 * for browsers. What cases import of the client is then what the bundles define.
 */
export class ModuleSite implements AsyncDisposable {
  /** The address of the module for `import()` in a page. */
  readonly entry: string;
  readonly #files = new Map<string, string>([
    ["/signalr.js", signalr],
    ["/messagepack.js", messagepack],
  ]);
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  private constructor(entry: string, answer: (request: Request) => Response | undefined) {
    this.entry = entry;
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => answer(request) ?? this.#serve(new URL(request.url)),
    );
  }

  /** Starts one for the module at `entry`; `answer` may answer a request instead. */
  static async start(
    entry: URL,
    answer: (request: Request) => Response | undefined = () => undefined,
  ): Promise<ModuleSite> {
    const site = new ModuleSite(entry.pathname, answer);
    await site.#add(entry.href);
    return site;
  }

  /** Its own address. */
  get origin(): string {
    return `http://127.0.0.1:${this.#http.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.shutdown();
  }

  #serve({ pathname }: URL): Response {
    if (pathname === "/") return new Response(PAGE, { headers: { "content-type": "text/html" } });
    const text = this.#files.get(pathname);
    return text === undefined
      ? new Response(null, { status: 404 })
      : new Response(text, { headers: SCRIPT });
  }

  /** Takes in a module and what it imports; returns where it is. */
  async #add(url: string): Promise<string> {
    const { pathname } = new URL(url);
    if (this.#files.has(pathname)) return pathname;
    this.#files.set(pathname, "");
    const source = await Deno.readTextFile(new URL(url));
    const text = pathname.endsWith(".ts") ? stripTypeScriptTypes(source) : source;
    const places = new Map<string, string>();
    for (const [, , specifier = ""] of text.matchAll(IMPORT)) {
      places.set(specifier, await this.#place(specifier, url));
    }
    const rewritten = text.replace(
      IMPORT,
      (_all, before: string, specifier: string) => `${before}"${places.get(specifier)}"`,
    );
    this.#files.set(pathname, rewritten);
    return pathname;
  }

  #place(specifier: string, importer: string): string | Promise<string> {
    const bundle = BUNDLES[specifier];
    if (bundle !== undefined) {
      this.#files.set(`/${specifier}`, bundle);
      return `/${specifier}`;
    }
    const relative = /^\.\.?\//.test(specifier);
    return this.#add(relative ? new URL(specifier, importer).href : import.meta.resolve(specifier));
  }
}
