import { assertEquals } from "@std/assert";
import { heardOnly, type SpecificationCase } from "./specification.ts";

/** Cases of changing groups from either node. */
export const groupCases: readonly SpecificationCase[] = [
  {
    name: "clients.group().send() passes over a member that has gone",
    upstream: "DisconnectConnectionRemovesConnectionFromGroup",
    async run({ one, two }) {
      await using gone = await one.connect();
      await using stays = await one.connect();
      const { id } = gone;
      for (const client of [gone, stays]) await one.groups.add(client.id, "group");
      await gone.connection.stop();
      await one.departed.find((departed) => departed === id, "a departure");
      await two.clients.group("group").send("heard", "Hello");
      await heardOnly(["Hello"], stays);
      assertEquals(gone.texts, []);
    },
  },
  {
    name: "groups.remove() does nothing for a connection of this node that is no member",
    upstream: "RemoveGroupFromLocalConnectionNotInGroupDoesNothing",
    async run({ one }) {
      await using client = await one.connect();
      await one.groups.remove(client.id, "group");
    },
  },
  {
    name: "groups.remove() resolves for a connection of the other node that is no member",
    upstream: "RemoveGroupFromConnectionOnDifferentServerNotInGroupDoesNothing",
    async run({ one, two }) {
      await using client = await one.connect();
      await two.groups.remove(client.id, "group");
    },
  },
  {
    name: "groups.add() adds a connection of the other node",
    upstream: "AddGroupAsyncForConnectionOnDifferentServerWorks",
    async run({ one, two }) {
      await using client = await one.connect();
      await two.groups.add(client.id, "group");
      await two.clients.group("group").send("heard", "Hello");
      await heardOnly(["Hello"], client);
    },
  },
  {
    name: "groups.add() gives one copy to a connection of this node added twice",
    upstream: "AddGroupAsyncForLocalConnectionAlreadyInGroupDoesNothing",
    async run({ one, two }) {
      await using client = await one.connect();
      await one.groups.add(client.id, "group");
      await one.groups.add(client.id, "group");
      await two.clients.group("group").send("heard", "Hello");
      await two.clients.group("group").send("heard", "last");
      await heardOnly(["Hello", "last"], client);
    },
  },
  {
    name: "groups.add() gives one copy to a connection of the other node added twice",
    upstream: "AddGroupAsyncForConnectionOnDifferentServerAlreadyInGroupDoesNothing",
    async run({ one, two }) {
      await using client = await one.connect();
      await one.groups.add(client.id, "group");
      await two.groups.add(client.id, "group");
      await two.clients.group("group").send("heard", "Hello");
      await two.clients.group("group").send("heard", "last");
      await heardOnly(["Hello", "last"], client);
    },
  },
  {
    name: "groups.remove() removes a connection of the other node",
    upstream: "RemoveGroupAsyncForConnectionOnDifferentServerWorks",
    async run({ one, two }) {
      await using client = await one.connect();
      await using stays = await one.connect();
      for (const { id } of [client, stays]) await one.groups.add(id, "group");
      await two.clients.group("group").send("heard", "Hello");
      await heardOnly(["Hello"], client, stays);
      await two.groups.remove(client.id, "group");
      await two.clients.group("group").send("heard", "gone");
      await heardOnly(["Hello", "gone"], stays);
      await two.groups.add(client.id, "group");
      await two.clients.group("group").send("heard", "back");
      await heardOnly(["Hello", "gone", "back"], stays);
      await heardOnly(["Hello", "back"], client);
    },
  },
];

/** What the specification leaves to each manager: a caller's own sets, over both nodes. */
export const callerCases: readonly SpecificationCase[] = [
  {
    name: "clients.others.send() passes over the caller on both nodes",
    upstream: "SendAllExcept",
    async run({ one, two }) {
      await using caller = await one.connect();
      await using beside = await one.connect();
      await using elsewhere = await two.connect();
      await caller.connection.invoke("toOthers", "Hello");
      await one.clients.all.send("heard", "last");
      await heardOnly(["last"], caller);
      await heardOnly(["Hello", "last"], beside, elsewhere);
    },
  },
  {
    name: "clients.othersInGroup().send() passes over the caller on both nodes",
    upstream: "SendGroupExcept",
    async run({ one, two }) {
      await using caller = await one.connect();
      await using beside = await one.connect();
      await using elsewhere = await two.connect();
      for (const { connection } of [caller, beside, elsewhere]) {
        await connection.invoke("join", "group");
      }
      await caller.connection.invoke("toOthersInGroup", "group", "Hello");
      await one.clients.group("group").send("heard", "last");
      await heardOnly(["last"], caller);
      await heardOnly(["Hello", "last"], beside, elsewhere);
    },
  },
];
