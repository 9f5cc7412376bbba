/** Cases on status and its listeners. */
import type { BackplaneStatus, BackplaneStatusEvent } from "../backplane.ts";
import { type ConformanceCase, defineCases } from "./case.ts";
import { check, same } from "./assert.ts";

/** The statuses that may follow each status; an event may also repeat it, to report a gap or an error. */
const NEXT: Readonly<Record<BackplaneStatus, readonly BackplaneStatus[]>> = {
  connecting: ["connecting", "open", "closed"],
  open: ["open", "reconnecting", "closed"],
  reconnecting: ["reconnecting", "open", "closed"],
  closed: [],
};

/** Checks that each event's status may follow the one before. */
export function checkSequence(
  first: BackplaneStatus,
  events: readonly BackplaneStatusEvent[],
): void {
  let before = first;
  for (const { status, gap } of events) {
    check(NEXT[before].includes(status), `status ${status} followed ${before}`);
    if (gap !== undefined) {
      const { since, until } = gap;
      check(since <= until, `a gap is since ${since} until ${until}`);
      check(until <= Date.now() + 1, `a gap is until ${until}, which is in the future`);
    }
    before = status;
  }
}

export const statusCases: readonly ConformanceCase[] = defineCases({
  async "status becomes open, and closed for good"(trial) {
    const backplane = await trial.opening();
    const first = backplane.status;
    check(first === "connecting" || first === "open", `a new backplane is ${first}`);
    const history = trial.history(backplane);
    backplane.onStatus(({ status }) =>
      check(backplane.status === status, `status is ${backplane.status} in an event of ${status}`)
    );
    await history.reaches("open");
    await backplane.close();
    same(backplane.status, "closed", "status after close()");
    await backplane.close();
    checkSequence(first, history.events);
    same(history.events.filter(({ status }) => status === "closed").length, 1, "events of closing");
    same(trial.logged, [], "the log");
  },
  async "a disposed status listener hears nothing more"(trial) {
    const backplane = await trial.open();
    let [disposed, kept] = [0, 0];
    const listening = backplane.onStatus(() => disposed++);
    backplane.onStatus(() => kept++);
    listening[Symbol.dispose]();
    listening[Symbol.dispose]();
    await backplane.close();
    same(disposed, 0, "events the disposed listener heard");
    check(kept > 0, "the other listener heard nothing of closing");
  },
  async "a status listener that throws harms nobody"(trial) {
    const backplane = await trial.open();
    let heard = 0;
    backplane.onStatus(() => {
      throw new Error("thrown by a status listener of the conformance suite");
    });
    backplane.onStatus(() => heard++);
    await backplane.close();
    check(heard > 0, "the listener behind it heard nothing");
  },
});
