import { Subject } from "@microsoft/signalr";
import { assertEquals, assertRejects } from "@std/assert";
import { StreamReader } from "../../stream_reader.ts";
import type { Case } from "../world.ts";

const relayed: Case = {
  name: "what a client uploads reaches a group item by item, wherever its members are",
  async run(world) {
    const group = `group ${world.tag}`;
    const [near, far] = [await world.connect(), await world.connect({ node: "far" })];
    for (const [client, member] of [[near, far], [far, near]] as const) {
      await member.invoke("join", group);
      const subject = new Subject<unknown>();
      const count = client.invoke("relay", group, subject);
      for (const item of [1, "é\x1e", { a: [null] }]) {
        subject.next(item);
        assertEquals(structuredClone(await member.got.next()), [item]);
      }
      subject.complete();
      assertEquals(await count, 3);
      const torn = new Subject<unknown>();
      const failing = client.invoke("relay", group, torn);
      torn.next("the last");
      assertEquals(await member.got.next(), ["the last"]);
      torn.error(new Error("torn"));
      const { message } = await assertRejects(() => failing, Error);
      assertEquals(
        message,
        "An unexpected error occurred invoking 'relay' on the server. HubException: torn",
      );
      await member.invoke("removeFrom", member.id, group);
    }
  },
};

const interviewed: Case = {
  name: "stream() gives what another client answers, wherever it is, and ends in its error",
  async run(world) {
    const [near, far] = [await world.connect(), await world.connect({ node: "far" })];
    for (const [client, asked] of [[near, far], [far, near]] as const) {
      asked.connection.on("answer", (value: unknown) => {
        if (value === "too much") throw new Error("no comment");
        return Promise.resolve({ value });
      });
      await asked.invoke("nothing");
      const interview = (...questions: unknown[]) =>
        StreamReader.all(client.connection.stream("interview", asked.id, questions));
      const [all, cut] = await Promise.all([
        interview(...Array(8).keys()),
        interview("a", "too much", "never asked"),
      ]);
      assertEquals(structuredClone(all), [
        [...Array(8).keys()].map((value) => ({ value })),
        undefined,
      ]);
      assertEquals(structuredClone(cut), [
        [{ value: "a" }],
        "An error occurred on the server while streaming results. HubException: Error: no comment",
      ]);
    }
  },
};

const sideBySide: Case = {
  name: "a stream and what clients of any node send meanwhile arrive side by side, each in order",
  async run(world) {
    const [near, far] = [await world.connect(), await world.connect({ node: "far" })];
    await near.invoke("nothing");
    const reader = new StreamReader(near.connection.stream("endless", world.tag));
    const numbers = [...Array(20).keys()];
    for (const n of numbers) {
      await far.invoke("tellClient", near.id, n);
      await reader.items.next();
    }
    assertEquals(await near.got.take(20), numbers.map((n) => [n]));
    reader.cancel();
    await far.invoke("happened", `left ${world.tag}`);
    const items = reader.items.all;
    assertEquals(items, [...Array(items.length).keys()]);
  },
};

/** Streams that clients of any node have a part in. */
export const STREAMS_AFAR: readonly Case[] = [relayed, interviewed, sideBySide];
