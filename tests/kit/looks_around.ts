import { Scheduler } from "../../hub/scheduling/scheduler.ts";
import { settle } from "./pipe.ts";

/** Lets everything that waits for room be looked at, however rarely it is. */
export async function looksAround(): Promise<void> {
  let looks = 0;
  await new Scheduler().untilWritable({
    get congested() {
      return ++looks < 6;
    },
  });
  await settle();
}
