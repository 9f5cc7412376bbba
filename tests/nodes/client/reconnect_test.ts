import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { freePort } from "../../kit/servers/server_process.ts";
import { Child } from "../../kit/child.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";

const NODE = new URL("node_process.ts", import.meta.url).href;

async function startNode(server: string, port: number): Promise<Child> {
  const child = Child.start(
    ...["run", "--quiet", "--no-lock", "--allow-net", "--ignore-env", NODE, server, `${port}`],
  );
  await child.until(/ready/);
  return child;
}

for (const server of Object.keys(HOSTS)) {
  Deno.test(`withAutomaticReconnect() finds the node that has taken the port of a killed one, on ${server}`, async () => {
    const port = freePort();
    await using first = await startNode(server, port);
    const url = `http://127.0.0.1:${port}/hub`;
    const reconnectDelays = Array<number>(200).fill(50);
    await using client = await SignalRClient.connect(url, { reconnectDelays });
    const { id } = client;
    const pid = await client.invoke("pid");
    const unanswered = assertRejects(() => client.invoke("forever"), Error);
    await first.end("SIGKILL");
    const lost = await client.events.next();
    assertEquals(lost.kind, "reconnecting");
    assertMatch(
      "error" in lost ? String(lost.error) : "",
      /WebSocket closed with status code: 1006/,
    );
    await unanswered;
    await using _second = await startNode(server, port);
    const found = await client.events.next();
    assertEquals(found.kind, "reconnected");
    assertNotEquals(client.id, id);
    assertEquals("id" in found && found.id, client.id);
    assertNotEquals(await client.invoke("pid"), pid);
    await client.invoke("tellAll", "back");
    assertEquals(await client.got.next(), ["back"]);
  });

  Deno.test(`withAutomaticReconnect() gives up after its last delay, and a new start connects, on ${server}`, async () => {
    const port = freePort();
    await using first = await startNode(server, port);
    const url = `http://127.0.0.1:${port}/hub`;
    await using client = await SignalRClient.connect(url, { reconnectDelays: [0, 0] });
    await first.end("SIGKILL");
    assertEquals((await client.events.next()).kind, "reconnecting");
    assertEquals((await client.events.next()).kind, "closed");
    await using _second = await startNode(server, port);
    await client.connection.start();
    assert(Number(await client.invoke("pid")) > 0);
  });
}
