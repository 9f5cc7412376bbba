import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HubChannels } from "../../../hub/bus/channel_names.ts";
import type { Cluster } from "../../../hub/bus/cluster.ts";
import {
  beginInvocation,
  endInvocation,
  writeInvocation,
  writeQuestion,
} from "../../../hub/bus/invocation.ts";
import { Knocker } from "../../../hub/bus/knocker.ts";
import { isNodeMessage } from "../../../hub/bus/read_node_message.ts";
import type { HubMessage } from "../../../hub/bus/node_messages.ts";
import { SerializedInvocation } from "../../../hub/protocol/serialized_invocation.ts";
import { PackError } from "../../../hub/protocol/pack/reader.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { hex, unhex } from "../../kit/hex.ts";
import { captured } from "../protocol/redis_vectors.ts";

/** The knocker of the node `S`, on a cluster that only writes down what it is told. */
class TestKnocker extends Knocker {
  readonly told: (readonly [node: string, message: HubMessage])[] = [];
  readonly backplane: RecordingBackplane;

  constructor(backplane = new RecordingBackplane()) {
    const cluster = {
      tell: (node: string, message: HubMessage) => {
        this.told.push([node, message]);
        return Promise.resolve(1);
      },
    } as unknown as Cluster;
    super(new HubChannels("hub"), { serverName: "S", backplane, cluster }, () => {});
    this.backplane = backplane;
  }
}

/** Knock 7 of the node `T`, in the hub `hub`. */
const KNOCK = "95 01 04 07 a1 54 a3 687562";

Deno.test("Knocker.knock() publishes on the channel of the connection, and tells who has heard it", async () => {
  const knocker = new TestKnocker();
  assertEquals(await knocker.knock("ann", 7), 0);
  const published = knocker.backplane.published.map(({ channel, payload }) =>
    [channel, hex(payload)] as const
  );
  assertEquals(published, [["hub:connection:ann", "95010407a153a3687562"]]);
  knocker.backplane.publish = () => {
    throw new Error("a driver with a mistake");
  };
  await assertRejects(() => knocker.knock("ann", 7), Error, "mistake");
});

Deno.test("Knocker.knockOnNode() tells the node", async () => {
  const knocker = new TestKnocker();
  assertEquals(await knocker.knockOnNode("T"), 1);
  assertEquals(knocker.told, [["T", { kind: "knock", id: 0, node: "S", hub: "hub" }]]);
});

Deno.test("Knocker.answer() answers a knock of its hub if the connection is here", () => {
  const knocker = new TestKnocker();
  const here = ["a connection"];
  assertEquals(knocker.answer(unhex(KNOCK), []), true);
  assertEquals(knocker.answer(unhex("95 01 04 07 a1 54 a3 687563"), here), true);
  assertEquals(knocker.told, []);
  assertEquals(knocker.answer(unhex(KNOCK), here), true);
  assertEquals(knocker.answer(unhex(`97 ${KNOCK.slice(3)} c0 90`), here), true);
  const answer = ["T", { kind: "here", id: 7, node: "S", hub: "hub" }] as const;
  assertEquals(knocker.told, [answer, answer]);
});

Deno.test("Knocker.answer() drops other messages of nodes, and says which are malformed", () => {
  const knocker = new TestKnocker();
  const here = ["a connection"];
  const dropped = [
    ["another version", "95 02 04 07 a1 54 a3 687562"],
    ["an unknown kind", "95 01 7f 07 a1 54 a3 687562"],
    ["an answer", "95 01 05 07 a1 54 a3 687562"],
  ] as const;
  for (const [name, payload] of dropped) {
    assertEquals(knocker.answer(unhex(payload), here), true, name);
  }
  const malformed = [
    ["too few items", "94 01 04 07 a1 54"],
    ["cut off", "95 01 04 07 a1 54 a3 68"],
    ["a negative id", "95 01 04 ff a1 54 a3 687562"],
    ["a number as node", "95 01 04 07 01 a3 687562"],
    ["a long node", `95 01 04 07 d9 c9 ${"78".repeat(201)} a3 687562`],
  ] as const;
  for (const [name, payload] of malformed) {
    assertThrows(() => knocker.answer(unhex(payload), here), PackError, undefined, name);
  }
  assertEquals(knocker.told, []);
});

Deno.test("isNodeMessage() takes no invocation for a message of a node", () => {
  const message = new SerializedInvocation("Hello", ["World"]);
  const question = { invocationId: "i", returnChannel: "r", timeout: 1 };
  const invocations = [
    writeInvocation(message, [], "S"),
    endInvocation(beginInvocation(message, ["a", "b"], "S"), 2, 1),
    writeQuestion(message, "S", question),
    writeInvocation(message, Array(70_000).fill("a"), "S"),
    ...captured("invocation").map(({ payload }) => payload),
    new Uint8Array(),
    unhex("95"),
  ];
  for (const payload of invocations) assertEquals(isNodeMessage(payload), false, hex(payload));
  assertEquals(isNodeMessage(unhex(KNOCK)), true);
});
