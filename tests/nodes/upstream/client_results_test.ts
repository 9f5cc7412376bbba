/**
 * What upstream's tests of client results show and no other test of ours does.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { RawClient } from "./raw_client.ts";
import { end, item, result, uploading } from "../../kit/messages.ts";

interface Client {
  double(value: number): number;
}

const hub = defineHub({
  methods: {
    async doubled({ clients }: HubContext<Client>, items: AsyncIterable<number>) {
      const answers: number[] = [];
      for await (const value of items) answers.push(await clients.caller.invoke("double", value));
      return answers;
    },
  },
});

onEachServer("a method asks its client between the items of an upload", async (serve) => {
  await using node = await serve({ hubs: { "/hub": hub } });
  using client = await RawClient.connect(node.port);
  await client.send(uploading("1", "doubled", ["s"]), item("s", 1), item("s", 2));
  for (const value of [1, 2]) {
    const question = await client.next();
    assert("invocationId" in question);
    const { invocationId, ...rest } = question;
    assertEquals(rest, { type: 1, target: "double", arguments: [value] });
    // The next item, and the end, come before the answer.
    if (value === 2) await client.send(end("s"));
    await client.send({ type: 3, invocationId, result: 2 * value });
  }
  assertEquals(await client.next(), result("1", [2, 4]));
}).forEach((test) => Deno.test(test));
