import { membersOf, roomName } from "./workloads.ts";
import type { Message } from "./messages.ts";
import type { Setup } from "./setup.ts";

/** The number of joins in flight while rooms are filled. */
const JOINING_AT_ONCE = 64;

/** Lets the members of every room join it. */
export function fillRooms({ connections, messages, job }: Setup): void {
  const joins = Array.from(
    { length: job.rooms },
    (_, room) =>
      membersOf(room, connections.list).map((from): Message => ({
        from,
        call: { method: "join", name: roomName(room) },
        receipts: 1,
      })),
  ).flat();
  let at = 0;
  connections.runUntil(() => {
    while (messages.inFlight < JOINING_AT_ONCE) {
      const join = joins[at++];
      if (join === undefined) break;
      messages.send(join);
    }
    return at > joins.length && messages.inFlight === 0;
  });
}
