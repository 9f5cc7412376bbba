/**
 * Pages of a real browser that run cases, one for each combination, all at once.
 *
 * @module
 */
import { TestBrowser } from "../../kit/browser.ts";
import { ModuleSite } from "../browser/module_site.ts";
import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import type { MatrixNode, MatrixNodeOptions } from "./matrix_node.ts";
import type * as pageModule from "./page.ts";
import { report } from "../../kit/matrix/report.ts";
import { COMBINATIONS, nameOf, type Outcome, type Place } from "../../kit/matrix/world.ts";

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

/** The name of a list of cases. */
export type ListName = Parameters<typeof pageModule.runInPage>[1];

/** What a page is told to do. */
interface Task {
  readonly entry: string;
  readonly place: Place;
  readonly list: ListName;
}

/** Runs in a page. */
async function visit({ entry, place, list }: Task): Promise<Outcome[]> {
  const { runInPage } = await import(entry) as typeof pageModule;
  return await runInPage(place, list);
}

/**
 * Runs a list in Chromium, on the nodes that `start` gives: one, or a near and a far one. It gets what
 * they must allow; they must end after this has.
 */
export async function runInChromium(
  t: Deno.TestContext,
  list: ListName,
  start: (options: MatrixNodeOptions) => Promise<readonly MatrixNode[]>,
): Promise<void> {
  using lines = new Lines();
  await using site = await ModuleSite.start(new URL("page.ts", import.meta.url), lines.answer);
  const { entry, origin } = site;
  const [node, other] = await start({
    cors: { origins: [origin] },
    webSockets: { allowedOrigins: [origin] },
  });
  if (node === undefined) throw new Error("Cannot run cases: there is no node");
  await using browser = await TestBrowser.start();
  const visits = COMBINATIONS.map(async (combination) => {
    const near = lines.open(node.port);
    const place: Place = {
      ...combination,
      runtime: "browser",
      near,
      far: other?.url("/hub") ?? near,
    };
    const page = await browser.open(origin);
    return [nameOf(combination), await page.evaluate(visit, { entry, place, list })] as const;
  });
  for (const [name, outcomes] of await Promise.all(visits)) {
    await t.step(name, (t) => report(t, outcomes));
  }
}
