import { assertEquals } from "@std/assert";
import { bounded } from "../../wait.ts";
import type { Case } from "../world.ts";

/** The hub calls its caller. */
export const calledBack: Case = {
  name: "a method of the hub calls its caller, with any number of values",
  async run(world) {
    const client = await world.connect();
    const values = [1, "é😀\x1e", null, [{ a: [] }]];
    await client.invoke("tell", ...values);
    await client.invoke("tell");
    assertEquals(structuredClone(await client.got.take(2)), [values, []]);
  },
};

const bursts: Case = {
  name: "what is sent in one turn arrives in order, however much it is",
  async run(world) {
    const client = await world.connect();
    await client.invoke("burst", 1000, 500);
    const got = await client.got.take(1000);
    assertEquals(got.map(([n]) => n), [...Array(1000).keys()]);
    // Larger than one piece of an answer.
    await client.invoke("burst", 1, 900_000);
    assertEquals((await client.got.next())[1], "x".repeat(900_000));
  },
};

const toConnection: Case = {
  name: "clients.client() reaches the client of that id alone, wherever it is",
  async run(world) {
    const [sender, near] = [await world.connect(), await world.connect()];
    const far = await world.connect({ node: "far" });
    for (const client of [near, far]) {
      // A call that is answered proves that other nodes reach its client.
      await client.invoke("nothing");
      await sender.invoke("tellClient", client.id, "for", client.id);
      assertEquals(await client.got.next(), ["for", client.id]);
    }
    await far.invoke("tellClient", near.id, "from far");
    assertEquals(await near.got.next(), ["from far"]);
    assertEquals([sender.got.all.length, near.got.all.length, far.got.all.length], [0, 2, 1]);
  },
};

const toUser: Case = {
  name: "clients.user() reaches every connection of the user, wherever it is",
  async run(world) {
    const user = world.tag;
    const members = [
      await world.connect({ query: { user } }),
      await world.connect({ query: { user }, node: "far" }),
    ];
    const other = await world.connect({ query: { user: `not ${user}` }, node: "far" });
    for (const client of [...members, other]) await client.invoke("nothing");
    for (const sender of [...members, other]) {
      await sender.invoke("tellUser", user, "hello");
      for (const member of members) assertEquals(await member.got.next(), ["hello"]);
    }
    assertEquals(other.got.all, []);
  },
};

const toGroup: Case = {
  name: "clients.group() reaches the members of the group, wherever they are",
  async run(world) {
    const group = `group ${world.tag}`;
    const near = await world.connect();
    const far = await world.connect({ node: "far" });
    for (const member of [near, far]) await member.invoke("join", group);
    for (const sender of [near, far]) {
      await sender.invoke("tellGroup", group, "to all");
      for (const member of [near, far]) assertEquals(await member.got.next(), ["to all"]);
    }
    await far.invoke("tellOthersInGroup", group, "to others");
    assertEquals(await near.got.next(), ["to others"]);
    // The member is changed from where it is not.
    await near.invoke("removeFrom", far.id, group);
    await near.invoke("tellGroup", group, "without far");
    await near.invoke("addTo", far.id, group);
    await near.invoke("tellGroup", group, "with far");
    assertEquals(await near.got.take(2), [["without far"], ["with far"]]);
    assertEquals(await far.got.next(), ["with far"]);
  },
};

const toAll: Case = {
  name: "clients.all reaches every client of every node",
  async run(world) {
    const clients = [await world.connect(), await world.connect({ node: "far" })];
    const heard = clients.map((client) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      // Cases of other places send to all as well.
      client.connection.on("everyone", (tag) => tag === world.tag && resolve());
      return promise;
    });
    for (const client of clients) await client.invoke("nothing");
    await clients[1]?.invoke("tellEveryone", world.tag);
    await bounded(Promise.all(heard));
  },
};

/** Calls of clients by the hub. */
export const SENDING: readonly Case[] = [calledBack, bursts];

/** Calls of clients on any node. */
export const SENDING_AFAR: readonly Case[] = [toConnection, toUser, toGroup, toAll];
