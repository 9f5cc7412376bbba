import { membersOf, roomName } from "./courses.ts";
import type { Flight } from "./flights.ts";
import type { Run } from "./run.ts";

/** How many joins are under way while rooms are filled. */
const JOINING_AT_ONCE = 64;

/** Lets the members of every room join. */
export function fillRooms({ fleet, flights, job }: Run): void {
  const joins = Array.from(
    { length: job.rooms },
    (_, room) =>
      membersOf(room, fleet.connections).map((from): Flight => ({
        from,
        call: { method: "join", name: roomName(room) },
        receipts: 1,
      })),
  ).flat();
  let at = 0;
  fleet.runUntil(() => {
    while (flights.underWay < JOINING_AT_ONCE) {
      const join = joins[at++];
      if (join === undefined) break;
      flights.launch(join);
    }
    return at > joins.length && flights.underWay === 0;
  });
}
