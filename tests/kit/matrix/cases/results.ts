import { assertEquals } from "@std/assert";
import type { SignalRClient } from "../../signalr_client.ts";
import { bounded } from "../../wait.ts";
import type { Case, World } from "../world.ts";

const NONE = "HubError: Client didn't provide a result.";

/** A client that answers, on the far node, and one that asks, on the near one. */
async function pair(
  world: World,
  answer?: (value: unknown) => unknown,
): Promise<[asking: SignalRClient, asked: SignalRClient]> {
  const asked = await world.connect({ node: "far" });
  if (answer !== undefined) asked.connection.on("answer", answer);
  await asked.invoke("nothing");
  return [await world.connect(), asked];
}

const answers: Case = {
  name: "invoke() of a client resolves with what it answers",
  async run(world) {
    const [asking, asked] = await pair(world, (value) => Promise.resolve(value));
    for (const value of [1, "é😀\x1e", null, false, [], { a: [1, { b: null }] }]) {
      assertEquals(structuredClone(await asking.invoke("ask", asked.id, value)), { value });
    }
  },
};

const throws: Case = {
  name: "invoke() of a client rejects with what it throws",
  async run(world) {
    const [asking, asked] = await pair(world, () => {
      throw new Error("unlucky");
    });
    assertEquals(await asking.invoke("ask", asked.id, 1), "HubError: Error: unlucky");
    assertEquals(await asked.invoke("echo", "still here"), "still here");
  },
};

const none: Case = {
  name: "invoke() of a client rejects when it has no result, or no such method",
  async run(world) {
    const [asking, silent] = await pair(world, () => undefined);
    const [, without] = await pair(world);
    assertEquals(await asking.invoke("ask", silent.id, 1), NONE);
    assertEquals(await asking.invoke("ask", without.id, 1), NONE);
  },
};

const goes: Case = {
  name: "invoke() of a client rejects at once when it goes, or is not there",
  async run(world) {
    const wasAsked = Promise.withResolvers<void>();
    const [asking, asked] = await pair(world, () => {
      wasAsked.resolve();
      return new Promise(() => {});
    });
    const { id } = asked;
    const result = asking.invoke("ask", id, 1);
    await bounded(wasAsked.promise);
    await asked.stop();
    assertEquals(await result, `ClientConnectionError: Connection '${id}' disconnected.`);
    assertEquals(
      await asking.invoke("ask", "1234", 1),
      "ClientConnectionError: Connection '1234' does not exist.",
    );
  },
};

const caller: Case = {
  name: "invoke() of the caller does not hold up its other calls",
  async run(world) {
    const client = await world.connect();
    client.connection.on("answer", async (value: number) => {
      // The call that asks for this waits for it.
      return await client.invoke("add", value, 1);
    });
    assertEquals(structuredClone(await client.invoke("askCaller", 41)), { value: 42 });
  },
};

/** Results of clients, asked for on their own node and on another. */
export const RESULTS: readonly Case[] = [answers, throws, none, goes, caller];
