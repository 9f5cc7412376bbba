/**
 * What upstream's tests of hub protocols show and no other test of ours does.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { chatHub } from "../transports/chat_hub.ts";
import { RawClient } from "./raw_client.ts";
import { call, result } from "../../kit/messages.ts";

/** Arguments that look like messages, or like the end of one. */
const DEEP = [[{ type: 7 }, [[[]]]], { arguments: [{ invocationId: "2" }] }, "]}", 1.5, null, true];

const TOO_MANY = "Failed to invoke 'echo' due to an error on the server. InvalidDataException: " +
  "Invocation provides 6 argument(s) but target expects 1.";

onEachServer(
  "a call refused for its arguments is read to its end, and the next as usual",
  async (serve) => {
    await using node = await serve({ hubs: { "/hub": chatHub().hub }, detailedErrors: true });
    using json = await RawClient.connect(node.port);
    await json.send(call("1", "echo", ...DEEP), call("2", "echo", "next"));
    assertEquals(await json.next(), { type: 3, invocationId: "1", error: TOO_MANY });
    assertEquals(await json.next(), result("2", "next"));
    using packed = await RawClient.connect(node.port, "/hub", "messagepack");
    await packed.sendPacked([1, {}, "1", "echo", DEEP, []]);
    await packed.sendPacked([1, {}, "2", "echo", ["next"], []]);
    assertEquals(await packed.next(), [3, {}, "1", 1, TOO_MANY]);
    assertEquals(await packed.next(), [3, {}, "2", 3, "next"]);
  },
).forEach((test) => Deno.test(test));
