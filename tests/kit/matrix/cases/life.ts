import { HubConnectionState } from "@microsoft/signalr";
import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import type { SignalRClient } from "../../signalr_client.ts";
import { type Case, RECONNECT_DELAYS, type World } from "../world.ts";

/** A call that the end of its connection will end; resolves with the text of its error. */
async function unanswered(client: SignalRClient, world: World): Promise<string | undefined> {
  try {
    await client.invoke("wait", world.tag);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The next thing that `client` tells of is that it looks for a way back. */
async function isLost(client: SignalRClient): Promise<void> {
  assertEquals((await client.events.next()).kind, "reconnecting");
}

/** The next thing that `client` tells of is that it has found a way back. */
async function isBack(client: SignalRClient, oldId: string): Promise<void> {
  assertEquals(await client.events.next(), { kind: "reconnected", id: client.id });
  assertNotEquals(client.id, oldId);
}

/** The connection is lost, and the client finds its way back by itself. */
export const reconnects: Case = {
  name: "withAutomaticReconnect() comes back with another id when the network was away",
  async run(world) {
    const client = await world.connect({ reconnectDelays: RECONNECT_DELAYS });
    const witness = await world.connect();
    const { id } = client;
    const call = unanswered(client, world);
    await witness.invoke("happened", `waiting ${world.tag}`);
    await world.outage(() => isLost(client));
    assert(await call !== undefined, "the call was answered");
    await isBack(client, id);
    assertEquals(await client.invoke("echo", "again"), "again");
    await client.invoke("tell", "called again");
    assertEquals(await client.got.next(), ["called again"]);
  },
};

const asked: Case = {
  name: "withAutomaticReconnect() comes back when the server asks for it",
  async run(world) {
    const client = await world.connect({ reconnectDelays: RECONNECT_DELAYS });
    const witness = await world.connect();
    const { id } = client;
    await client.connection.send("flood");
    await isLost(client);
    await isBack(client, id);
    assertEquals(
      await witness.invoke("ended", id),
      "The client reads too slowly: too many bytes are unsent.",
    );
    assertEquals(await client.invoke("echo", "again"), "again");
  },
};

const without: Case = {
  name: "without withAutomaticReconnect() a lost connection is closed, and start() opens another",
  async run(world) {
    const client = await world.connect();
    const { id } = client;
    await world.outage(async () => {
      assertEquals((await client.events.next()).kind, "closed");
    });
    assertEquals(client.connection.state, HubConnectionState.Disconnected);
    await client.start();
    assertNotEquals(client.id, id);
    assertEquals(await client.invoke("echo", 1), 1);
  },
};

const stateful: Case = {
  name: "withStatefulReconnect() goes on with the same id, and nothing is lost or comes twice",
  fits: ({ transport }) => transport === "WebSockets",
  async run(world) {
    const client = await world.connect({ stateful: true, reconnectDelays: RECONNECT_DELAYS });
    const witness = await world.connect({ reconnectDelays: RECONNECT_DELAYS });
    const { id } = client;
    for (let n = 0; n < 3; n++) {
      const answer = client.invoke("wait", `${world.tag} ${n}`);
      await witness.invoke("happened", `waiting ${world.tag} ${n}`);
      const witnessId = witness.id;
      // Just cut: the client tries to go on once, and then starts anew.
      await world.cut();
      await isLost(witness);
      await isBack(witness, witnessId);
      await witness.invoke("release", `${world.tag} ${n}`, n);
      await witness.invoke("tellClient", id, "meanwhile", n);
      assertEquals([await answer, await client.got.next()], [n, ["meanwhile", n]]);
    }
    assertEquals([client.id, client.events.all, client.got.all.length], [id, [], 3]);
  },
};

const stop: Case = {
  name: "stop() ends the connection on the server too, and start() opens another",
  async run(world) {
    const [client, witness] = [await world.connect(), await world.connect()];
    const { id } = client;
    const call = unanswered(client, world);
    await witness.invoke("happened", `waiting ${world.tag}`);
    await client.stop();
    assertMatch(await call ?? "", /Invocation canceled|connection being closed/);
    assertEquals(await client.events.next(), { kind: "closed", error: undefined });
    await witness.invoke("happened", `aborted ${world.tag}`);
    assertEquals(await witness.invoke("ended", id), null);
    await client.start();
    assertNotEquals(client.id, id);
    assertEquals(await client.invoke("echo", 1), 1);
  },
};

const ended: Case = {
  name: "abort() ends the connection for good, although it could reconnect",
  async run(world) {
    const client = await world.connect({ reconnectDelays: RECONNECT_DELAYS });
    const witness = await world.connect();
    const { id } = client;
    await assertRejects(() => client.invoke("leave"), Error);
    assertEquals(await client.events.next(), { kind: "closed", error: undefined });
    assertEquals(await witness.invoke("ended", id), null);
    await assertRejects(() => client.invoke("echo", 1), Error, "not in the 'Connected' State");
  },
};

const early: Case = {
  name: "stop() while start() is under way leaves no connection",
  async run(world) {
    const client = world.make();
    const started = client.connection.start().then(() => "started", (error) => error);
    await client.stop();
    assert(await started instanceof Error, "stopped before it could start");
    assertEquals(client.connection.state, HubConnectionState.Disconnected);
    await client.start();
    assertEquals(await client.invoke("echo", 1), 1);
  },
};

/** From start to stop, and what happens in between. */
export const LIFE: readonly Case[] = [
  reconnects,
  asked,
  without,
  stateful,
  stop,
  ended,
  early,
];
