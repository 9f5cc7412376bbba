/**
 * What upstream's HubConnectionHandlerTests show of streams and no other test of ours does.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { defineHub, type HubContext } from "../../../mod.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { RawClient } from "./raw_client.ts";
import { call, end, item, result, uploading } from "../../kit/messages.ts";

type Context = HubContext<Record<never, never>>;

const hub = defineHub({
  methods: {
    echo: (_context: Context, value: unknown) => value,
    async join(_context: Context, one: AsyncIterable<string>, two: AsyncIterable<string>) {
      let text = "";
      for await (const part of one) text += part;
      for await (const part of two) text += part;
      return text;
    },
  },
});

onEachServer(
  "a call that names one stream twice is refused, and nothing is left of it",
  async (serve) => {
    await using node = await serve({ hubs: { "/hub": hub } });
    using client = await RawClient.connect(node.port);
    await client.send(uploading("1", "join", ["s", "s"]));
    assertEquals(await client.next(), {
      type: 3,
      invocationId: "1",
      error: "An unexpected error occurred invoking 'join' on the server. HubException: " +
        "Stream ID 's' is already in use.",
    });
    // Its items find no stream, and both ids are free.
    await client.send(item("s", "lost"), call("2", "echo", "alive"));
    assertEquals(await client.next(), result("2", "alive"));
    await client.send(uploading("3", "join", ["t", "s"]), item("s", "b"), item("t", "a"));
    await client.send(end("t"), end("s"));
    assertEquals(await client.next(), result("3", "ab"));
  },
).forEach((test) => Deno.test(test));
