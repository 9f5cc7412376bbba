import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import type { SignalRClient } from "../../signalr_client.ts";
import { bounded } from "../../wait.ts";
import { type Case, hasTwoNodes, RECONNECT_DELAYS, type World } from "../world.ts";

/** How `sender` reaches `client`, and that it does: by id, user and group, each once. */
async function isReached(client: SignalRClient, sender: SignalRClient, tag: string): Promise<void> {
  const ways = [["tellClient", client.id], ["tellUser", `user ${tag}`], [
    "tellGroup",
    `group ${tag}`,
  ]];
  for (const [method = "", to] of ways) {
    await sender.invoke(method, to, method);
    assertEquals(await client.got.next(), [method]);
  }
}

/** A client of the near node that is somebody and in a group, and one of the far node that is neither. */
async function pair(world: World): Promise<[near: SignalRClient, far: SignalRClient]> {
  const { tag } = world;
  const query = { user: `user ${tag}` };
  const near = await world.connect({ query, reconnectDelays: RECONNECT_DELAYS });
  await near.invoke("join", `group ${tag}`);
  return [near, await world.connect({ node: "far" })];
}

/** `near` has a new id; `far` reaches it once it is in its group again. */
async function isReachedAnew(
  near: SignalRClient,
  far: SignalRClient,
  { tag }: World,
  oldId: string,
): Promise<void> {
  assertNotEquals(near.id, oldId);
  await near.invoke("join", `group ${tag}`);
  await isReached(near, far, tag);
}

const comesBack: Case = {
  name: "a client whose network was away is reached from another node again, under its new id",
  fits: hasTwoNodes,
  async run(world) {
    const [near, far] = await pair(world);
    const { id } = near;
    await isReached(near, far, world.tag);
    await world.outage(async () => {
      assertEquals((await near.events.next()).kind, "reconnecting");
      // Nobody is there, which is no error; what was sent to the old connection is lost.
      await far.invoke("tellUser", `user ${world.tag}`, "lost");
      await far.invoke("tellGroup", `group ${world.tag}`, "lost");
    });
    assertEquals(await near.events.next(), { kind: "reconnected", id: near.id });
    await far.invoke("tellClient", id, "to the old id");
    await isReachedAnew(near, far, world, id);
    assertEquals([near.got.all.length, far.events.all], [6, []]);
  },
};

const goesOn: Case = {
  name: "withStatefulReconnect() loses nothing that another node sends while the socket is away",
  fits: (place) => hasTwoNodes(place) && place.transport === "WebSockets",
  async run(world) {
    const near = await world.connect({ stateful: true, reconnectDelays: RECONNECT_DELAYS });
    const far = await world.connect({ node: "far" });
    const group = `group ${world.tag}`;
    await near.invoke("join", group);
    near.connection.on("answer", (value) => value);
    const { id } = near;
    const numbers = [...Array(30).keys()];
    for (const n of numbers) {
      if (n % 10 === 0) await world.cut();
      await far.invoke("tellGroup", group, n);
      if (n % 10 === 5) {
        assertEquals(structuredClone(await far.invoke("ask", id, n)), { value: n });
      }
    }
    assertEquals(await near.got.take(30), numbers.map((n) => [n]));
    assertEquals([near.id, near.events.all, near.got.all.length], [id, [], 30]);
  },
};

const stops: Case = {
  name: "stop() is noticed on another node at once, and start() again reaches it under a new id",
  fits: hasTwoNodes,
  async run(world) {
    const [near, far] = await pair(world);
    const { id } = near;
    const wasAsked = Promise.withResolvers<void>();
    near.connection.on("answer", () => {
      wasAsked.resolve();
      return new Promise(() => {});
    });
    const pending = far.invoke("ask", id, 1);
    await bounded(wasAsked.promise);
    await near.stop();
    assertEquals(await pending, `ClientConnectionError: Connection '${id}' disconnected.`);
    assertEquals(await far.invoke("ended", id), null);
    assertMatch(
      await far.invoke("ask", id, 2) as string,
      new RegExp(`^ClientConnectionError: Connection '${id}' (?:does not exist|disconnected)\\.$`),
    );
    await far.invoke("tellUser", `user ${world.tag}`, "lost");
    await near.start();
    await isReachedAnew(near, far, world, id);
    assertEquals(near.got.all.length, 3);
  },
};

const fails: Case = {
  name: "what a client of another node throws ends the call that asked it, and no connection",
  async run(world) {
    const [near, far] = [await world.connect(), await world.connect({ node: "far" })];
    for (const [client, asked] of [[near, far], [far, near]] as const) {
      asked.connection.on("answer", () => {
        throw new Error("unlucky");
      });
      await asked.invoke("nothing");
      const { message } = await assertRejects(() => client.invoke("demand", asked.id, 1), Error);
      assertEquals(
        message,
        "An unexpected error occurred invoking 'demand' on the server. HubException: Error: unlucky",
      );
    }
    assertEquals([await near.invoke("echo", 1), await far.invoke("echo", 2)], [1, 2]);
  },
};

/** How connections of one node end and begin, as those of another see it. */
export const LIFE_AFAR: readonly Case[] = [comesBack, goesOn, stops, fails];
