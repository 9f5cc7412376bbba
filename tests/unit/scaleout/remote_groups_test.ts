import { assert, assertEquals, assertRejects } from "@std/assert";
import { BackplaneUnavailableError, GroupAckTimeoutError, HubError } from "../../../mod.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { TwoNodes } from "./two_nodes.ts";

const GROUP = "hub:group:group";

/** Watches a promise. */
function watch(promise: Promise<void>): { readonly pending: boolean } {
  const watched = { pending: true };
  const settled = () => void (watched.pending = false);
  promise.then(settled, settled);
  return watched;
}

Deno.test("groups.add() of a remote connection resolves only after its node has joined", async () => {
  await using two = await TwoNodes.start();
  const gate = Promise.withResolvers<void>();
  two.owner.backplane.beforeSubscribe = () => gate.promise;
  const add = two.asked.groups.add("ann", "group");
  const watched = watch(add);
  await two.owner.backplane.asked.find((call) => call === `+${GROUP}`);
  await endOfTurn();
  assertEquals(watched.pending, true);
  gate.resolve();
  await add;
  await two.asked.clients.group("group").send("heard", "Hello");
  await two.ann.heard.count(1);
  assertEquals(two.asked.backplane.subscribes(GROUP), 0);
});

Deno.test("groups.remove() of a remote connection resolves once it hears nothing more", async () => {
  await using two = await TwoNodes.start();
  await two.asked.groups.add("ann", "group");
  await two.asked.groups.remove("ann", "group");
  await two.asked.clients.group("group").send("heard", "too late");
  await two.asked.clients.client("ann").send("heard", "last");
  await two.ann.heard.count(1);
  assertEquals(two.ann.texts, ["last"]);
  await two.asked.groups.remove("ann", "group");
});

Deno.test("groups.add() of a connection that exists nowhere rejects after groupAckTimeout", async () => {
  await using two = await TwoNodes.start({ groupAckTimeout: 300 });
  const changes = [
    two.asked.groups.add("nobody", "group"),
    two.asked.groups.remove("nobody", "group"),
  ];
  const watched = changes.map(watch);
  two.asked.advance(299);
  await endOfTurn();
  assertEquals(watched, [{ pending: true }, { pending: true }]);
  two.asked.advance(1);
  for (const [index, verb] of ["add to", "remove from"].entries()) {
    const text = `Cannot ${verb} group "group": no node answered for connection "nobody" within`;
    await assertRejects(() => changes[index]!, GroupAckTimeoutError, `${text} 300 ms`);
  }
});

Deno.test("groups.add() of a connection that has just gone from the other node resolves", async () => {
  await using two = await TwoNodes.start();
  await two.ann.leave();
  await two.asked.groups.add("ann", "group");
  await two.asked.groups.remove("ann", "group");
  two.owner.advance(4999);
  await two.asked.groups.add("ann", "group");
  // Not remembered any longer than anyone could have been waiting for it.
  two.owner.advance(1);
  const add = two.asked.groups.add("ann", "group");
  await endOfTurn();
  two.asked.advance(5000);
  await assertRejects(() => add, GroupAckTimeoutError);
  assertEquals(two.owner.backplane.subscribes(GROUP), 0);
});

Deno.test("groups.add() of a remote connection that goes meanwhile resolves", async () => {
  await using two = await TwoNodes.start();
  const gate = Promise.withResolvers<void>();
  two.owner.backplane.beforeSubscribe = () => gate.promise;
  const add = two.asked.groups.add("ann", "group");
  await two.owner.backplane.asked.find((call) => call === `+${GROUP}`);
  await two.ann.leave();
  gate.resolve();
  await add;
  two.owner.advance(1000);
  assertEquals(two.owner.backplane.channels.has(GROUP), false);
});

Deno.test("groups.add() of a remote connection rejects at once while the bus is away", async () => {
  await using two = await TwoNodes.start();
  two.bus.stop();
  await assertRejects(() => two.asked.groups.add("ann", "group"), BackplaneUnavailableError);
  await assertRejects(() => two.asked.groups.remove("ann", "group"), BackplaneUnavailableError);
  two.bus.start();
  await two.asked.groups.add("ann", "group");
});

Deno.test("groups.add() rejects at its timeout when the bus goes before the acknowledgement", async () => {
  await using two = await TwoNodes.start();
  const gate = Promise.withResolvers<void>();
  two.owner.backplane.beforeSubscribe = () => gate.promise;
  const add = two.asked.groups.add("ann", "group");
  await two.owner.backplane.asked.find((call) => call === `+${GROUP}`);
  two.bus.stop();
  gate.resolve();
  two.bus.start();
  two.owner.backplane.refusesPublish = () => new BackplaneUnavailableError("the ack is lost");
  await two.owner.logger.warnings.count(1);
  two.asked.advance(5000);
  await assertRejects(() => add, GroupAckTimeoutError);
  two.owner.backplane.refusesPublish = () => undefined;
  // It was added all the same, and may be added again.
  await two.asked.groups.add("ann", "group");
});

Deno.test("groups.add() refuses what cannot be a connection id, and the node goes on", async () => {
  await using two = await TwoNodes.start();
  const { groups, backplane } = two.asked;
  const strange: unknown[] = [null, undefined, 1, 10n, {}, "", "x".repeat(257), "\ud800"];
  for (const id of strange) {
    for (const change of ["add", "remove"] as const) {
      await assertRejects(() => groups[change](id as string, "group"), HubError, "connection id");
    }
  }
  two.asked.advance(10_000);
  assertEquals(backplane.published, []);
  await groups.add("ann", "group");
});

Deno.test("groups.add() rejects at its timeout when the other node cannot join", async () => {
  await using two = await TwoNodes.start();
  two.owner.backplane.beforeSubscribe = () => Promise.reject(new Error("no"));
  const add = two.asked.groups.add("ann", "group");
  await two.owner.logger.errors.count(1);
  two.asked.advance(5000);
  await assertRejects(() => add, GroupAckTimeoutError);
});

Deno.test("groups.add() ignores an acknowledgement that is late or of nothing", async () => {
  await using two = await TwoNodes.start();
  const gate = Promise.withResolvers<void>();
  two.owner.backplane.beforeSubscribe = () => gate.promise;
  const add = two.asked.groups.add("ann", "group");
  await two.owner.backplane.asked.find((call) => call === `+${GROUP}`);
  two.asked.advance(5000);
  await assertRejects(() => add, GroupAckTimeoutError);
  gate.resolve();
  await two.asked.groups.add("ann", "group");
  assertEquals(two.asked.logger.warnings.all, []);
  two.asked.advance(250);
  assertEquals(two.asked.clock.pending, 0);
});

Deno.test("groups.add() that waits for another node rejects when its server closes", async () => {
  await using two = await TwoNodes.start();
  const add = two.asked.groups.add("nobody", "group");
  await endOfTurn();
  two.asked.hub.close();
  const error = await assertRejects(() => add, GroupAckTimeoutError, "closed");
  assert(!error.message.includes("nobody"));
  await assertRejects(() => two.asked.groups.add("nobody", "group"), GroupAckTimeoutError);
  assertEquals(two.asked.clock.pending, 0);
});
