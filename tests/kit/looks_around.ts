import { relieved } from "../../hub/scheduling/congestion.ts";
import { settle } from "./memory_pipe.ts";

/** Lets everything that waits for room be looked at, however rarely it is. */
export async function looksAround(): Promise<void> {
  let looks = 0;
  await relieved({
    get congested() {
      return ++looks < 6;
    },
  });
  await settle();
}
