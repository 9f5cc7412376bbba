/**
 * What a page runs: the cases, with the official client's bundle for browsers.
 *
 * @module
 */
import { CASES, SHORT } from "./cases.ts";
import { type Outcome, type Place, runCases } from "./world.ts";

/** Runs every case, or the short list; the site of the page does to the network what it is asked to. */
export function runInPage(place: Place, short: boolean): Promise<Outcome[]> {
  const ask = async (what: string) => {
    await fetch(`/${what}?near=${encodeURIComponent(place.near)}`, { method: "POST" });
  };
  return runCases(short ? SHORT : CASES, place, {
    cut: () => ask("cut"),
    interrupt: () => ask("interrupt"),
    restore: () => ask("restore"),
  });
}
