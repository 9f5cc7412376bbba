import { assertEquals } from "@std/assert";
import { Rests } from "../../../hub/scheduling/rests.ts";
import { ManualClock } from "../../kit/manual_clock.ts";

/** Rests whose sleep ends when the test says so. */
function tired() {
  const clock = new ManualClock();
  const sleeps: (() => void)[] = [];
  const rests = new Rests(clock, (wake) => {
    sleeps.push(wake);
    return () => void sleeps.splice(sleeps.indexOf(wake), 1);
  });
  let ended = 0;
  return {
    rests,
    sleeps,
    ended: () => ended,
    wake: () => sleeps.shift()?.(),
    /** A turn of 5 ms ends; returns whether messages have to wait. */
    endTurn(busy = true) {
      clock.pass(5);
      return rests.turnEnded(busy, () => ended++);
    },
  };
}

Deno.test("Rests begins when turns have had more work than time for 10 ms, and some of it has no end", () => {
  const { rests, sleeps, endTurn, wake, ended } = tired();
  rests.postponed();
  assertEquals([endTurn(), endTurn(), rests.resting], [false, false, false]);
  // Streams that wait do not keep the event loop awake: messages are read in the rest.
  assertEquals([endTurn(), rests.resting, sleeps.length], [false, true, 1]);
  wake();
  assertEquals([rests.resting, ended()], [false, 1]);
});

Deno.test("Rests begins after 25 ms on a node that is busy with ordinary clients, who are heard meanwhile", () => {
  const { rests, endTurn } = tired();
  const turns = Array.from({ length: 6 }, () => [endTurn(), rests.resting]);
  assertEquals(turns, [...Array(5).fill([false, false]), [false, true]]);
});

Deno.test("Rests does not begin if a turn in between had time for all of its work", () => {
  const { rests, endTurn } = tired();
  rests.postponed();
  for (let turn = 0; turn < 100; turn++) endTurn(turn % 3 !== 2);
  assertEquals(rests.resting, false);
});

Deno.test("Rests reads nothing while a client sends without a pause, and begins anew when one is stopped", () => {
  const { rests, endTurn, wake, ended } = tired();
  rests.flooded();
  endTurn();
  endTurn();
  assertEquals(endTurn(), true);
  rests.flooded();
  wake();
  assertEquals([rests.resting, ended()], [true, 0]);
  wake();
  assertEquals([rests.resting, ended()], [false, 1]);
});

Deno.test("Rests ends though clients that send without a pause come again and again", () => {
  const { rests, endTurn, wake, ended } = tired();
  rests.flooded();
  for (let turn = 0; turn < 3; turn++) endTurn();
  for (let sleep = 0; sleep < 5; sleep++) {
    assertEquals(ended(), 0);
    rests.flooded();
    wake();
  }
  assertEquals([rests.resting, ended()], [false, 1]);
});

Deno.test("Rests.close() cancels the sleep, lets work go on at once, and no rest begins any more", () => {
  const { rests, sleeps, endTurn, ended } = tired();
  rests.flooded();
  for (let turn = 0; turn < 3; turn++) endTurn();
  assertEquals([rests.resting, sleeps.length], [true, 1]);
  rests.close();
  assertEquals([rests.resting, sleeps.length, ended()], [false, 0, 1]);
  rests.flooded();
  for (let turn = 0; turn < 100; turn++) assertEquals(endTurn(), false);
  assertEquals([rests.resting, sleeps.length], [false, 0]);
});
