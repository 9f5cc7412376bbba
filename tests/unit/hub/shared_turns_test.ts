/**
 * The messages of all clients share the time of a turn: one client that sends as fast as it can delays
 * nobody by more than some turns.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { HubConnection } from "../../../hub/connection/connection.ts";
import { Greeting } from "../../../hub/connection/greeting.ts";
import type { CloseCause } from "../../../hub/connection/closing.ts";
import type { ConversationState } from "../../../hub/connection/conversation.ts";
import { Link } from "../../../hub/connection/link.ts";
import { type HubServerOptions, resolveOptions } from "../../../hub/options/server.ts";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { type HubMessage, MessageType } from "../../../hub/protocol/messages.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { budgetLimits } from "../../../hub/serving/budget_limits.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { call } from "../../kit/messages.ts";
import { MemoryPipe, settle } from "../../kit/pipe.ts";

/**
 * Clients whose calls take `milliseconds` each; turns end when the test says so, and clients that shake hands
 * are admitted when `admission` resolves.
 */
function serving(milliseconds: number, options: HubServerOptions = {}) {
  const clock = new ManualClock();
  const ends: (() => void)[] = [];
  const sleep = (wake: () => void) => {
    ends.push(wake);
    return () => {};
  };
  const scheduler = new Scheduler(clock, (end) => ends.push(end), sleep);
  const calls: string[] = [];
  const errors: (string | undefined)[] = [];
  const { promise: admission, resolve: admit } = Promise.withResolvers<void>();
  const parts = {
    limits: resolveOptions(options),
    budget: budgetLimits(resolveOptions(options)),
    clock,
    scheduler,
    listener: {
      opened: () => admission,
      message(_connection: HubConnection, message: HubMessage) {
        if (message.type !== MessageType.Invocation) return undefined;
        calls.push(message.target);
        clock.pass(milliseconds);
      },
      closing: (_connection: HubConnection, { error }: CloseCause) => errors.push(error?.message),
      closed: () => Promise.resolve(),
    },
  };
  const open = (from: Greeting | ConversationState) => {
    const pipe = new MemoryPipe();
    const connection = new HubConnection("c", pipe, parts, from);
    pipe.attach(new Link(pipe, connection));
    connection.conversation?.inbox.unblock();
    return pipe;
  };
  const connect = () => open({ protocol: jsonProtocol, sequence: undefined });
  const greet = () => open(new Greeting(parts));
  return { connect, greet, admit, calls, errors, endTurn: () => ends.shift()?.() };
}

const FLOOD = call(undefined, "flood");
const RECORD = `${JSON.stringify(FLOOD)}\x1e`;
const CANARY = call(undefined, "canary");

Deno.test("messages of one client take no more than 5 ms of a turn, however many chunks they come in", () => {
  const { connect, calls, endTurn } = serving(1);
  const pipe = connect();
  for (let n = 0; n < 100; n++) pipe.send(FLOOD);
  assert(calls.length <= 10, `${calls.length} in the first turn`);
  for (let turn = 0; calls.length < 100; turn++) {
    assert(turn < 50, `${calls.length} after ${turn} turns`);
    const before = calls.length;
    endTurn();
    assert(calls.length - before <= 10, `${calls.length - before} in a turn`);
  }
  assertEquals(pipe.ends, []);
});

Deno.test("the first messages of clients that are admitted at the same time share a turn", async () => {
  const { greet, admit, calls, endTurn } = serving(5);
  const pipes = Array.from({ length: 20 }, greet);
  for (const pipe of pipes) {
    pipe.send({ protocol: "json", version: 1 });
    pipe.send(CANARY);
  }
  admit();
  await settle();
  assert(calls.length <= 4, `${calls.length} in the first turn`);
  for (let turn = 0; calls.length < 20; turn++) {
    assert(turn < 50, `${calls.length} after ${turn} turns`);
    endTurn();
  }
  assertEquals(pipes.flatMap(({ ends }) => ends), []);
});

Deno.test("a client waits for its part of a turn behind one that sends without end, and not longer", () => {
  const { connect, calls, endTurn } = serving(1);
  const [flooding, canary] = [connect(), connect()];
  const flood = () => {
    for (let n = 0; n < 50 && !flooding.paused; n++) flooding.send(FLOOD);
  };
  flood();
  for (let round = 1; round <= 20; round++) {
    canary.send(CANARY);
    for (let turns = 0; calls.filter((name) => name === "canary").length < round; turns++) {
      assert(turns <= 4, `the canary waits for ${turns} turns`);
      endTurn();
      flood();
    }
  }
});

Deno.test("twenty clients that send without end have parts of equal size", () => {
  const { connect, calls, endTurn } = serving(0);
  const pipes = Array.from({ length: 20 }, connect);
  // A part is 4 KiB; it counts some bytes for each message.
  const names = pipes.map((_, index) => `client ${index}`);
  for (const [index, pipe] of pipes.entries()) {
    pipe.sendText(`${JSON.stringify(call(undefined, names[index] ?? ""))}\x1e`.repeat(1000));
  }
  const done = () => names.map((name) => calls.filter((target) => target === name).length);
  for (let turn = 0; calls.length < 20_000; turn++) {
    assert(turn < 100, `${calls.length} after ${turn} turns`);
    const counts = done();
    assert(Math.max(...counts) - Math.min(...counts) <= 120, `${counts}`);
    endTurn();
  }
});

Deno.test("a client that sends more than turns have time for is not read until it has been heard", () => {
  const { connect, calls, endTurn } = serving(1);
  const pipe = connect();
  const count = Math.ceil(70_000 / RECORD.length);
  for (let n = 0; n < count; n++) pipe.send(FLOOD);
  assert(pipe.paused);
  for (let turn = 0; calls.length < count; turn++) {
    assert(turn < 2 * count, `${calls.length} after ${turn} turns`);
    endTurn();
  }
  assertEquals([pipe.paused, pipe.ends], [false, []]);
});

Deno.test("a client whose transport goes on beyond eight times maximumQueuedReceiveBytes is closed", () => {
  const { connect, errors } = serving(1, { maximumQueuedReceiveBytes: 100_000 });
  const pipe = connect();
  let sent = 0;
  for (; pipe.ends.length === 0; sent += RECORD.length) {
    assert(sent < 1_000_000, "nobody is closed");
    pipe.send(FLOOD);
  }
  // The bytes, and 32 for each message; one message of 32 KiB more may come.
  assert(sent > 400_000, `closed after ${sent}`);
  assertEquals(errors, ["Too many bytes are waiting to be dispatched."]);
});

Deno.test("empty chunks take time of a turn, and count when there is none", () => {
  const { connect, errors } = serving(10, { maximumQueuedReceiveBytes: 100_000 });
  const pipe = connect();
  for (let n = 0; n < 4; n++) pipe.send(FLOOD);
  for (let n = 0; pipe.ends.length === 0; n++) {
    assert(n < 30_000, "nobody is closed");
    pipe.sendText("");
  }
  assertEquals(errors, ["Too many bytes are waiting to be dispatched."]);
});

Deno.test("a message of any size is let in when other clients have taken the time of the turn", () => {
  const options = { maximumQueuedReceiveBytes: 10_000, maximumReceiveMessageSize: null };
  const { connect, calls, endTurn } = serving(10, options);
  const [flooding, large] = [connect(), connect()];
  for (let n = 0; n < 10; n++) flooding.send(FLOOD);
  large.send({ ...CANARY, arguments: ["x".repeat(100_000)] });
  assertEquals([large.paused, large.ends], [true, []]);
  assert(!calls.includes("canary"));
  for (let turn = 0; !calls.includes("canary"); turn++) {
    assert(turn < 20);
    endTurn();
  }
  assertEquals([large.paused, large.ends], [false, []]);
});
