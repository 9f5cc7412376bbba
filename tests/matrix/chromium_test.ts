import { TestBrowser } from "../browser/browser.ts";
import { ModuleSite } from "../browser/module_site.ts";
import { CuttingProxy } from "../servers/cutting_proxy.ts";
import { HOSTS } from "../servers/hosts.ts";
import { startMatrixNode } from "./matrix_node.ts";
import type * as pageModule from "./page.ts";
import { report } from "./report.ts";
import { COMBINATIONS, nameOf, type Outcome, type Place } from "./world.ts";

/** The networks of the pages, by the address of the hub. */
class Lines implements Disposable {
  readonly #proxies = new Map<string, CuttingProxy>();

  /** A new one to `port`; returns the address of the hub behind it. */
  open(port: number): string {
    const proxy = new CuttingProxy(port);
    const near = `http://127.0.0.1:${proxy.port}/hub`;
    this.#proxies.set(near, proxy);
    return near;
  }

  /** Does what a page asks of its own. */
  readonly answer = (request: Request): Response | undefined => {
    const { pathname, searchParams } = new URL(request.url);
    const proxy = this.#proxies.get(searchParams.get("near") ?? "");
    if (proxy === undefined) return undefined;
    if (pathname === "/cut") proxy.cut();
    if (pathname === "/interrupt") proxy.interrupt();
    if (pathname === "/restore") proxy.restore();
    return new Response();
  };

  [Symbol.dispose](): void {
    for (const proxy of this.#proxies.values()) proxy[Symbol.dispose]();
  }
}

/** What a page is told to do. */
interface Task {
  readonly entry: string;
  readonly place: Place;
  readonly short: boolean;
}

/** Runs in a page. */
async function visit({ entry, place, short }: Task): Promise<Outcome[]> {
  const { runInPage } = await import(entry) as typeof pageModule;
  return await runInPage(place, short);
}

for (const [server, host] of Object.entries(HOSTS)) {
  // A browser cannot tell the servers apart where a client in Deno cannot; one of each kind is enough.
  const short = server !== "fetch";
  Deno.test(`the official client in Chromium does everything over every transport, on ${server}`, async (t) => {
    using lines = new Lines();
    await using site = await ModuleSite.start(new URL("page.ts", import.meta.url), lines.answer);
    const { entry, origin } = site;
    await using node = await startMatrixNode(host, {
      cors: { origins: [origin] },
      webSockets: { allowedOrigins: [origin] },
    });
    await using browser = await TestBrowser.start();
    const visits = COMBINATIONS.map(async (combination) => {
      const near = lines.open(node.port);
      const place: Place = { ...combination, runtime: "browser", near, far: near };
      const page = await browser.open(origin);
      return [nameOf(combination), await page.evaluate(visit, { entry, place, short })] as const;
    });
    for (const [name, outcomes] of await Promise.all(visits)) {
      await t.step(name, (t) => report(t, outcomes));
    }
  });
}
