import { assertEquals, assertRejects } from "@std/assert";
import { BackplaneUnavailableError, type MemoryBus } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { PipeNode, type PipeNodeOptions } from "../../kit/pipe_node.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";

type Node = PipeNode<RecordingBackplane>;

/** A node, and another one with a member `there` of the groups `a` to `c`. */
export async function startNodes(bus: MemoryBus, options?: PipeNodeOptions) {
  const node = await PipeNode.start(new RecordingBackplane(bus), options);
  const other = await PipeNode.start(new RecordingBackplane(bus), options);
  const there = await other.connect("there");
  for (const group of ["a", "b", "c"]) await other.groups.add("there", group);
  await endOfTurn();
  return { node, other, there };
}

/** Whether a promise has resolved or rejected at the end of the turn. */
export async function fate(promise: Promise<unknown>): Promise<"open" | "resolved" | "rejected"> {
  let fate: "open" | "resolved" | "rejected" = "open";
  promise.then(() => fate = "resolved", () => fate = "rejected");
  await endOfTurn();
  return fate;
}

/** Asserts that a send which nobody has answered rejects when its wait is over, and not before. */
export async function assertLate(
  node: Node,
  sent: Promise<void>,
): Promise<BackplaneUnavailableError> {
  sent.catch(() => {});
  node.advance(4999);
  assertEquals(await fate(sent), "open");
  node.advance(1);
  return await assertRejects(
    () => sent,
    BackplaneUnavailableError,
    "Cannot reach members on other nodes: the backplane is away for 5000 ms",
  );
}

/** Sends to every kind of set; connection `ann` of user `user` is in all of them. */
export function sendToAll({ clients }: Node): Promise<void>[] {
  const sets = [
    clients.all,
    clients.group("group"),
    clients.groups(["group", "empty"]),
    clients.user("user"),
    clients.clients(["ann", "elsewhere"]),
  ];
  const sent = sets.map((set, index) => set.send("heard", index));
  // A promise may be rejected before it is awaited.
  for (const promise of sent) promise.catch(() => {});
  return sent;
}
