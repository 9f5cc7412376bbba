/**
 * Connections that begin after their handshake, as those that come from another process do.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { HubConnection } from "../../../hub/connection/connection.ts";
import type { ConversationState } from "../../../hub/connection/conversation.ts";
import { Link } from "../../../hub/connection/link.ts";
import { resolveOptions } from "../../../hub/options/server.ts";
import { jsonProtocol } from "../../../hub/protocol/json/json.ts";
import { MessageType } from "../../../hub/protocol/messages.ts";
import { Scheduler } from "../../../hub/scheduling/scheduler.ts";
import { budgetLimits } from "../../../hub/serving/budget_limits.ts";
import { ManualClock } from "../../kit/manual_clock.ts";
import { MemoryPipe, settle } from "../../kit/pipe.ts";

/** A connection that goes on from `state`, without a handshake and without a hub. */
function goOn(state: ConversationState) {
  const happened: unknown[] = [];
  const note = (text: string) => {
    happened.push(text);
    return undefined;
  };
  const pipe = new MemoryPipe();
  const connection = new HubConnection("c1", pipe, {
    limits: resolveOptions({}),
    budget: budgetLimits(resolveOptions({})),
    clock: new ManualClock(),
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
  pipe.attach(new Link(pipe, connection));
  return { connection, pipe, happened };
}

const call = (target: string) => ({ type: 1, target, arguments: [] });
const frame = (target: string) => `${JSON.stringify(call(target))}\x1e`;

Deno.test("HubConnection goes on from a value without a handshake", async () => {
  const { connection, pipe, happened } = goOn({ protocol: jsonProtocol, sequence: undefined });
  assertEquals([connection.protocol, connection.isStateful], ["json", false]);
  pipe.send(call("a"));
  connection.send({ type: MessageType.Invocation, target: "b", arguments: [] });
  assertEquals(pipe.records, [call("b")]);
  pipe.vanish();
  await connection.finished;
  // The hub has admitted the client before.
  assertEquals(happened, ["called a", "closing", "closed, admitted"]);
});

Deno.test("HubConnection goes on with the numbers and the unacknowledged frames of a value", async () => {
  const { connection, pipe, happened } = goOn({
    protocol: jsonProtocol,
    sequence: { acknowledged: 3, unacknowledged: [frame("four"), frame("five")], received: 7 },
  });
  assertEquals(connection.isStateful, true);
  assertEquals(pipe.records, [{ type: 9, sequenceId: 4 }, call("four"), call("five")]);
  // The client goes on with a message that had come before, and a new one.
  pipe.send({ type: 9, sequenceId: 7 }, call("seven"), call("eight"));
  assertEquals(happened, ["called eight"]);
  pipe.send({ type: 8, sequenceId: 4 });
  pipe.cut();
  connection.send({ type: MessageType.Invocation, target: "six", arguments: [] });
  const next = new MemoryPipe();
  next.returnTo(connection);
  assertEquals(next.records, [{ type: 9, sequenceId: 5 }, call("five"), call("six")]);
  connection.close({});
  await settle();
  assertEquals(happened, ["called eight", "closing", "closed, admitted"]);
});
