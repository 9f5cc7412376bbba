import { assertEquals } from "@std/assert";
import { randomPrefix } from "../../kit/wait.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { heardOnly, type SpecificationCase } from "./specification.ts";

/** Cases of sending between two nodes. */
export const sendingCases: readonly SpecificationCase[] = [
  {
    name: "clients.all.send() reaches every connection of both nodes",
    upstream: "InvokeAllAsyncWithMultipleServersWritesToAllConnectionsOutput",
    async run({ one, two }) {
      await using first = await one.connect();
      await using second = await two.connect();
      await one.clients.all.send("heard", "Hello", { deep: ["World"] });
      await heardOnly(["Hello"], first, second);
      assertEquals(second.heard.all, [["Hello", { deep: ["World"] }]]);
    },
  },
  {
    name: "clients.all.send() passes over a connection that has gone from the other node",
    upstream: "InvokeAllAsyncWithMultipleServersDoesNotWriteToDisconnectedConnectionsOutput",
    async run({ one, two }) {
      await using first = await one.connect();
      await using gone = await two.connect();
      await using stays = await two.connect();
      const { id } = gone;
      await gone.connection.stop();
      await two.departed.find((departed) => departed === id, "a departure");
      await two.clients.all.send("heard", "Hello");
      await heardOnly(["Hello"], first, stays);
      assertEquals(gone.texts, []);
    },
  },
  {
    name: "clients.client().send() reaches a connection of the other node",
    upstream: "InvokeConnectionAsyncOnServerWithoutConnectionWritesOutputToConnection",
    async run({ one, two }) {
      await using client = await one.connect();
      await using other = await one.connect();
      await two.clients.client(client.id).send("heard", "Hello");
      await two.clients.clients([client.id, other.id]).send("heard", "both");
      await heardOnly(["Hello", "both"], client);
      await heardOnly(["both"], other);
    },
  },
  {
    name: "clients.group().send() reaches a member on the other node",
    upstream: "InvokeGroupAsyncOnServerWithoutConnectionWritesOutputToGroupConnection",
    async run({ one, two }) {
      await using client = await one.connect();
      await using other = await one.connect();
      await one.groups.add(client.id, "group");
      await two.clients.group("group").send("heard", "Hello");
      await heardOnly(["Hello"], client);
      await one.groups.add(other.id, "group");
      await two.clients.group("group").send("heard", "both");
      await heardOnly(["Hello", "both"], client);
      await heardOnly(["both"], other);
    },
  },
  {
    name: "clients.client().send() serves a connection of this node directly, and nobody else",
    upstream: "InvokeConnectionAsyncForLocalConnectionDoesNotPublishToBackplane",
    async run(_pair, bus) {
      const prefix = randomPrefix();
      await using one = await PipeNode.start(await bus.open(prefix));
      await using two = await PipeNode.start(await bus.open(prefix));
      // Both nodes think that they own the connection: whatever passed the bus would come twice.
      const here = await one.connect("twin");
      const there = await two.connect("twin");
      await one.clients.client("twin").send("heard", "Hello");
      await one.clients.all.send("heard", "last");
      await there.heard.find(([, text]) => text === "last");
      assertEquals(here.texts, ["Hello", "last"]);
      assertEquals(there.texts, ["last"]);
    },
  },
  {
    name: "clients.client().send() hides from the sender that writing failed on the other node",
    upstream: "WritingToRemoteConnectionThatFailsDoesNotThrow",
    async run(_pair, bus) {
      const prefix = randomPrefix();
      await using one = await PipeNode.start(await bus.open(prefix));
      await using two = await PipeNode.start(await bus.open(prefix), { maximumBufferedBytes: 100 });
      const client = await two.connect("stuck");
      client.stuck = true;
      // A client that has taken everything takes one message of any size.
      for (const letter of ["x", "y"]) {
        await one.clients.client("stuck").send("heard", letter.repeat(100));
      }
      await client.finished;
      assertEquals(client.texts, []);
    },
  },
  {
    name: "clients.group().send() reaches the other members when one fails",
    upstream: "WritingToGroupWithOneConnectionFailingSecondConnectionStillReceivesMessage",
    async run(_pair, bus) {
      const prefix = randomPrefix();
      const options = { maximumBufferedBytes: 1400 };
      await using one = await PipeNode.start(await bus.open(prefix), options);
      await using two = await PipeNode.start(await bus.open(prefix), options);
      const fails = await one.connect("fails");
      const works = await one.connect("works");
      for (const id of ["fails", "works"]) await one.groups.add(id, "group");
      fails.stuck = true;
      const texts = ["a", "b", "c", "d"].map((letter) => letter.repeat(600));
      for (const [index, text] of texts.entries()) {
        await two.clients.group("group").send("heard", text);
        await works.heard.count(index + 1);
      }
      assertEquals(works.texts, texts);
      await fails.finished;
      assertEquals(fails.texts, []);
    },
  },
];

/** Cases of users with connections on two nodes. */
export const userCases: readonly SpecificationCase[] = [
  {
    name: "clients.user().send() reaches every connection of the user on both nodes",
    upstream: "InvokeUserSendsToAllConnectionsForUser",
    async run({ one, two }) {
      await using first = await one.connect("ann");
      await using second = await one.connect("ann");
      await using third = await two.connect("ann");
      await using other = await two.connect("Ann");
      await one.clients.user("ann").send("heard", "Hello");
      await one.clients.users(["ann", "Ann"]).send("heard", "both");
      await heardOnly(["Hello", "both"], first, second, third);
      await heardOnly(["both"], other);
    },
  },
  {
    name: "clients.user().send() still reaches a user after one of two connections has gone",
    upstream: "StillSubscribedToUserAfterOneOfMultipleConnectionsAssociatedWithUserDisconnects",
    async run({ one, two }) {
      await using gone = await one.connect("ann");
      await using stays = await one.connect("ann");
      await using elsewhere = await two.connect("ann");
      const { id } = gone;
      await two.clients.user("ann").send("heard", "Hello");
      await heardOnly(["Hello"], gone, stays, elsewhere);
      await gone.connection.stop();
      await one.departed.find((departed) => departed === id, "a departure");
      await two.clients.user("ann").send("heard", "again");
      await heardOnly(["Hello", "again"], stays, elsewhere);
      assertEquals(gone.texts, ["Hello"]);
    },
  },
];
