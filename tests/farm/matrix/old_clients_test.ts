/**
 * Farms upgrade slowly: clients of older releases. What is particular to them:
 *
 * - Release 6 has no stateful reconnect and no results of clients: asked for one, it leaves.
 * - Their MessagePack packages take any newer client too, so package managers pair them with release 10;
 *   that works, as what they take from it has not changed.
 *
 * @module
 */
import * as signalr6 from "signalr-6";
import { MessagePackHubProtocol as MessagePack6 } from "signalr-6-msgpack";
import * as signalr8 from "signalr-8";
import { MessagePackHubProtocol as MessagePack8 } from "signalr-8-msgpack";
import { assertEquals } from "@std/assert";
import { socketsOf } from "../../kit/client_sockets.ts";
import { type Release, SignalRClient } from "../../kit/signalr_client.ts";
import { CuttingProxy } from "../../kit/servers/cutting_proxy.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { SHORT } from "../../kit/matrix/cases.ts";
import { startMatrixNode } from "./matrix_node.ts";
import { report } from "../../kit/matrix/report.ts";
import { COMBINATIONS, nameOf, runCases } from "../../kit/matrix/world.ts";

/** Their types are others by name; what tests use of them is the same. */
const RELEASES = [
  [signalr6, MessagePack6, "signalr-6"],
  [signalr8, MessagePack8, "signalr-8"],
] as const;

for (const [{ HubConnectionBuilder, VERSION }, MessagePackHubProtocol, name] of RELEASES) {
  for (const [server, host] of Object.entries(HOSTS)) {
    Deno.test(`the official client ${VERSION} connects, calls, streams and reconnects, on ${server}`, async (t) => {
      assertEquals(VERSION.split(".")[0], name.at(-1));
      const sockets = await socketsOf(name);
      const release = { HubConnectionBuilder, MessagePackHubProtocol, sockets } as unknown;
      await using node = await startMatrixNode(host);
      using line = new CuttingProxy(node.port);
      const near = `http://127.0.0.1:${line.port}/hub`;
      for (const combination of COMBINATIONS) {
        const place = { ...combination, runtime: "deno", near, far: near } as const;
        const outcomes = await runCases(SHORT, place, line, release as Release);
        await t.step(nameOf(combination), (t) => report(t, outcomes));
      }
    });
  }
}

onEachServer(
  "a client of release 6 leaves when it is asked for a result, and who asks is told at once",
  async (_serve, host) => {
    const [{ HubConnectionBuilder }, MessagePackHubProtocol, name] = RELEASES[0];
    const release = { HubConnectionBuilder, MessagePackHubProtocol } as unknown as Release;
    const sockets = await socketsOf(name);
    await using node = await startMatrixNode(host);
    const options = { release: { ...release, sockets } };
    await using asked = await SignalRClient.connect(node.url("/hub"), options);
    await using asking = await SignalRClient.connect(node.url("/hub"));
    asked.connection.on("answer", (value) => value);
    const { id } = asked;
    assertEquals(
      await asking.invoke("ask", id, 1),
      `ClientConnectionError: Connection '${id}' disconnected.`,
    );
    assertEquals(await asked.events.next(), {
      kind: "closed",
      error: "Server requested a response, which is not supported in this version of the client.",
    });
  },
).forEach((test) => Deno.test(test));
