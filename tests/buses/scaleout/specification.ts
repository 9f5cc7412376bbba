/**
 * SignalR's own specification of scaling out, on two real nodes with official clients: the cases of
 * `specs/signalr-redis.md §12` that need no client results, each with its upstream name.
 *
 * Who must *not* hear something is told apart by a later message in the same channel: per sender and
 * channel messages keep their order, so that whoever hears only the later one never was sent the other.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Bus } from "./buses.ts";
import type { OfficialClient, Pair } from "./nodes.ts";

/** One case; each gets nodes of its own. */
export interface SpecificationCase {
  /** What it shows. */
  readonly name: string;
  /** Its name in ASP.NET Core's Specification.Tests. */
  readonly upstream: string;
  run(pair: Pair, bus: Bus): Promise<void>;
}

/** Waits for `last` at each client and checks that it heard `texts` and nothing else. */
export async function heardOnly(
  texts: readonly string[],
  ...clients: readonly OfficialClient[]
): Promise<void> {
  for (const client of clients) {
    await client.heard.find(([text]) => text === texts.at(-1), `"${texts.at(-1)}"`);
    assertEquals(client.texts, [...texts]);
  }
}

/** Those of the base class: one node. */
export const baseCases: readonly SpecificationCase[] = [
  {
    name: "clients.all.send() reaches every connection",
    upstream: "SendAllAsyncWritesToAllConnectionsOutput",
    async run({ one }) {
      await using first = await one.connect();
      await using second = await one.connect();
      await one.clients.all.send("heard", "Hello", 1);
      await heardOnly(["Hello"], first, second);
      assertEquals(first.heard.all, [["Hello", 1]]);
    },
  },
  {
    name: "clients.all.send() passes over a connection that has gone",
    upstream: "SendAllAsyncDoesNotWriteToDisconnectedConnectionsOutput",
    async run({ one }) {
      await using first = await one.connect();
      await using second = await one.connect();
      const { id } = second;
      await second.connection.stop();
      await one.departed.find((gone) => gone === id, "a departure");
      await one.clients.all.send("heard", "Hello");
      await heardOnly(["Hello"], first);
      assertEquals(second.texts, []);
    },
  },
  {
    name: "clients.group().send() reaches the members only",
    upstream: "SendGroupAsyncWritesToAllConnectionsInGroupOutput",
    async run({ one }) {
      await using first = await one.connect();
      await using second = await one.connect();
      await one.groups.add(first.id, "group");
      await one.clients.group("group").send("heard", "Hello");
      await one.groups.add(second.id, "group");
      await one.clients.group("group").send("heard", "both");
      await heardOnly(["Hello", "both"], first);
      await heardOnly(["both"], second);
    },
  },
  {
    name: "clients.groupExcept().send() passes over the excluded",
    upstream: "SendGroupExceptAsyncDoesNotWriteToExcludedConnections",
    async run({ one }) {
      await using first = await one.connect();
      await using second = await one.connect();
      await one.groups.add(first.id, "group");
      await one.groups.add(second.id, "group");
      await one.clients.groupExcept("group", [second.id]).send("heard", "Hello");
      await one.clients.group("group").send("heard", "both");
      await heardOnly(["Hello", "both"], first);
      await heardOnly(["both"], second);
    },
  },
  {
    name: "clients.client().send() reaches that connection only",
    upstream: "SendConnectionAsyncWritesToConnectionOutput",
    async run({ one }) {
      await using first = await one.connect();
      await using second = await one.connect();
      await one.clients.client(first.id).send("heard", "Hello");
      await one.clients.all.send("heard", "both");
      await heardOnly(["Hello", "both"], first);
      await heardOnly(["both"], second);
    },
  },
];
