/**
 * Connections that begin after their handshake, as those that come from another process do.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { HubConnection } from "../../../hub/connection/connection.ts";
import type { ConversationState } from "../../../hub/connection/conversation.ts";
import { resolveOptions } from "../../../hub/options/server.ts";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { MessageType } from "../../../hub/protocol/messages.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { budgetLimits } from "../../../hub/serving/budget_limits.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { MemoryPipe, settle } from "../../kit/pipe.ts";

/** A connection that goes on from `state`, without a handshake and without a hub. */
function goOn(state: ConversationState, clock = new ManualClock()) {
  const happened: unknown[] = [];
  const note = (text: string) => {
    happened.push(text);
    return undefined;
  };
  const pipe = new MemoryPipe();
  const connection = new HubConnection("c1", undefined, {
    limits: resolveOptions({}),
    budget: budgetLimits(resolveOptions({})),
    clock,
    scheduler: new Scheduler(),
    listener: {
      opened: () => note("opened"),
      message: (_connection, message) => {
        if (message.type === MessageType.Invocation) note(`called ${message.target}`);
        return undefined;
      },
      closing: () => note("closing"),
      closed: (_connection, _cause, admitted) => {
        note(`closed, ${admitted ? "admitted" : "not admitted"}`);
        return Promise.resolve();
      },
    },
  }, state);
  connection.conversation?.admit(() => note("resumed"));
  pipe.returnTo(connection);
  return { connection, pipe, happened };
}

const call = (target: string) => ({ type: 1, target, arguments: [] });
const frame = (target: string) => `${JSON.stringify(call(target))}\x1e`;

const NEW = { acknowledged: 0, unacknowledged: [], received: 0 };

Deno.test("HubConnection goes on from a value without a handshake", async () => {
  const { connection, pipe, happened } = goOn({ protocol: jsonProtocol, sequence: NEW });
  assertEquals([connection.protocol, connection.isStateful], ["json", true]);
  // The hub hears of the client before its messages are read.
  pipe.send(call("a"));
  assertEquals(happened, ["resumed"]);
  await settle();
  connection.send({ type: MessageType.Invocation, target: "b", arguments: [] });
  assertEquals(pipe.records, [{ type: 9, sequenceId: 1 }, call("b")]);
  pipe.vanish();
  await connection.finished;
  // The hub has admitted the client before.
  assertEquals(happened, ["resumed", "called a", "closing", "closed, admitted"]);
});

Deno.test("HubConnection ends when the client of a value does not come back in time", async () => {
  const clock = new ManualClock();
  const { connection, happened } = goOn({ protocol: jsonProtocol, sequence: NEW }, clock);
  connection.dropPipe();
  clock.advance(15_000);
  connection.tick(clock.now());
  assertEquals(connection.isClosed, false);
  clock.advance(1);
  connection.tick(clock.now());
  await connection.finished;
  assertEquals(happened, ["resumed", "closing", "closed, admitted"]);
});

Deno.test("HubConnection.leave() ends it without a word to its client or the hub", async () => {
  const { connection, pipe, happened } = goOn({ protocol: jsonProtocol, sequence: NEW });
  await settle();
  const { signal } = connection;
  const before = pipe.records.length;
  connection.leave();
  await connection.finished;
  connection.send({ type: MessageType.Invocation, target: "late", arguments: [] });
  pipe.send(call("late"));
  connection.close({});
  assertEquals([pipe.records.length, pipe.ends], [before, ["terminated"]]);
  assertEquals([connection.isClosed, signal.aborted, happened], [true, true, ["resumed"]]);
});

Deno.test("Conversation.holdCalls() leaves the next call unread, and what is behind it", async () => {
  const { connection, pipe, happened } = goOn({ protocol: jsonProtocol, sequence: NEW });
  await settle();
  pipe.send(call("a"));
  await settle();
  connection.conversation?.holdCalls();
  // What a running call may need is read until the next call comes.
  pipe.send({ type: 3, invocationId: "1", result: 1 }, call("b"), { type: 3, invocationId: "2" });
  await settle();
  assertEquals(happened, ["resumed", "called a"]);
  assertEquals(connection.conversation?.movable?.sequence?.received, 2);
  connection.send({ type: MessageType.Invocation, target: "c", arguments: [] });
  // An acknowledgement has no number.
  pipe.send({ type: 8, sequenceId: 1 });
  await settle();
  assertEquals(connection.conversation?.movable?.sequence?.acknowledged, 1);
  const next = new MemoryPipe();
  next.returnTo(connection);
  next.send({ type: 9, sequenceId: 3 }, call("b"), { type: 3, invocationId: "2" });
  await settle();
  assertEquals(happened, ["resumed", "called a", "called b"]);
  assertEquals(connection.conversation?.movable?.sequence?.received, 4);
  connection.leave();
});

Deno.test("HubConnection goes on with the numbers and the unacknowledged frames of a value", async () => {
  const { connection, pipe, happened } = goOn({
    protocol: jsonProtocol,
    sequence: { acknowledged: 3, unacknowledged: [frame("four"), frame("five")], received: 7 },
  });
  assertEquals(connection.isStateful, true);
  await settle();
  assertEquals(pipe.records, [{ type: 9, sequenceId: 4 }, call("four"), call("five")]);
  // The client goes on with a message that had come before, and a new one.
  pipe.send({ type: 9, sequenceId: 7 }, call("seven"), call("eight"));
  await settle();
  assertEquals(happened, ["resumed", "called eight"]);
  pipe.send({ type: 8, sequenceId: 4 });
  await settle();
  pipe.cut();
  connection.send({ type: MessageType.Invocation, target: "six", arguments: [] });
  const next = new MemoryPipe();
  next.returnTo(connection);
  assertEquals(next.records, [{ type: 9, sequenceId: 5 }, call("five"), call("six")]);
  connection.close({});
  await settle();
  assertEquals(happened, ["resumed", "called eight", "closing", "closed, admitted"]);
});
