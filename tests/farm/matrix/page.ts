/**
 * What a page runs: the cases, with the official client's bundle for browsers.
 *
 * @module
 */
import { LISTS } from "../../kit/matrix/cases.ts";
import { type Outcome, type Place, runCases } from "../../kit/matrix/world.ts";

/** Runs a list of cases; the site of the page does to the network what it is asked to. */
export function runInPage(place: Place, list: keyof typeof LISTS): Promise<Outcome[]> {
  const ask = async (what: string) => {
    await fetch(`/${what}?near=${encodeURIComponent(place.near)}`, { method: "POST" });
  };
  return runCases(LISTS[list], place, {
    cut: () => ask("cut"),
    interrupt: () => ask("interrupt"),
    restore: () => ask("restore"),
  });
}
