import { assertEquals } from "@std/assert";
import { delay } from "@std/async";

/** The longest that anything may take to come or go, in milliseconds. */
const PATIENCE = 20_000;

/** Asks again and again until what is listed, which must be sorted, is `expected` in any order. */
export async function untilListed(
  list: () => Promise<readonly string[]>,
  expected: readonly string[],
): Promise<void> {
  const give = performance.now() + PATIENCE;
  const wanted = expected.toSorted();
  while (true) {
    const found = await list();
    const equal = found.join("\n") === wanted.join("\n");
    if (equal || performance.now() > give) return assertEquals(found, wanted);
    await delay(20);
  }
}
