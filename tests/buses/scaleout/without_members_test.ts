import { assertEquals } from "@std/assert";
import type { BackplaneHandler, BackplaneSubscription } from "../../../mod.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { randomPrefix } from "../../kit/wait.ts";
import { PipeNode } from "../../kit/pipe_node.ts";
import { untilSubscribers } from "./redis_channels.ts";

/** Counts what arrives, channel by channel. */
class CountingBackplane extends RedisBackplane {
  readonly arrived: Map<string, number> = new Map();

  override subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    return super.subscribe(channel, (payload) => {
      this.arrived.set(channel, (this.arrived.get(channel) ?? 0) + 1);
      handler(payload);
    });
  }
}

Deno.test("a node hears nothing of a group whose last member there has left, once unsubscribeDelay has passed", async () => {
  await using server = await startRedis();
  const prefix = randomPrefix();
  const start = () =>
    PipeNode.start(new CountingBackplane(redisUrl(server, prefix)), { unsubscribeDelay: 1000 });
  await using one = await start();
  await using two = await start();
  const ann = await one.connect("ann");
  const bob = await two.connect("bob");
  await one.groups.add("ann", "group");
  await two.groups.add("bob", "group");
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) await one.clients.group("group").send("heard", i);
    // Behind all of it, as order is kept by each publisher's connection.
    await one.clients.client("bob").send("heard", "end");
  };
  await send(10);
  await bob.heard.count(11);
  assertEquals(two.backplane.arrived.get("hub:group:group"), 10);

  await two.groups.remove("bob", "group");
  two.advance(1000);
  await untilSubscribers(server.port, `${prefix}hub:group:group`, 1);
  two.backplane.arrived.clear();
  await send(1000);
  await bob.heard.count(12);
  await ann.heard.count(1010);
  assertEquals([...two.backplane.arrived], [["hub:connection:bob", 1]]);
});
