import { assertEquals } from "@std/assert";
import { ClosingSockets } from "../../../hub/transports/closing_sockets.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { settle } from "../../kit/pipe.ts";

/** Waits for `closing`; `waits` is whether the wait goes on. */
function wait(closing: ClosingSockets, clock: ManualClock) {
  const state = { waits: true };
  closing.ended(clock, 1000).then(() => state.waits = false);
  return state;
}

Deno.test("ClosingSockets.ended() resolves when the last closed socket has ended", async () => {
  const clock = new ManualClock();
  const closing = new ClosingSockets();
  const sockets = [{}, {}] as const;
  for (const socket of sockets) closing.add(socket);
  const state = wait(closing, clock);
  closing.delete(sockets[0]);
  await settle();
  assertEquals(state.waits, true);
  closing.delete(sockets[1]);
  await settle();
  assertEquals([state.waits, clock.pending], [false, 0]);
  await closing.ended(clock, 1000);
});

Deno.test("ClosingSockets.ended() waits no longer than its timeout", async () => {
  const clock = new ManualClock();
  const closing = new ClosingSockets();
  closing.add({});
  const state = wait(closing, clock);
  clock.advance(999);
  await settle();
  assertEquals(state.waits, true);
  clock.advance(1);
  await settle();
  assertEquals(state.waits, false);
});
