import { connect } from "node:net";
import { assertEquals } from "@std/assert";
import { Child } from "../../kit/child.ts";
import { ROOT } from "../../kit/graph.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { freePort } from "../../kit/servers/server_process.ts";
import { bounded } from "../../kit/wait.ts";

const SERVE = ["serve", "--no-prompt", "--host", "127.0.0.1", "--port", "0", "--allow-net"];
const RUN = ["run", "--no-prompt", "--allow-net"];

/** How each node of the examples, and one that a user writes, is started, and where its hub is. */
const NODES: Readonly<Record<string, readonly [args: readonly string[], hub: string]>> = {
  "an exported server under deno serve": [
    [...SERVE, "tests/nodes/mounts/served_app.ts"],
    "/hub",
  ],
  "examples/hono": [[...SERVE, "--allow-read=.", "examples/hono/main.ts"], "/kitchen"],
  "examples/auth": [
    [...RUN, "--allow-env=AUTH_SECRET", "examples/auth/node.ts", "--port=0"],
    "/board",
  ],
  "examples/chat": [
    [
      ...RUN,
      "--ignore-env",
      "examples/chat/node.ts",
      `--port=${freePort()}`,
      "--backplane=memory:",
    ],
    "/chat?name=Ann",
  ],
};

for (const [name, [args, hub]] of Object.entries(NODES)) {
  Deno.test(`SIGTERM drains ${name} and ends it`, async () => {
    await using node = Child.start(...args.map((arg) => absolute(arg)));
    const [, origin = ""] = await node.until(/(http:\/\/[\w.]+:\d+)/);
    const client = SignalRClient.make(`${origin}${hub}`, {
      reconnectDelays: [60_000],
      ...hub === "/board" && { token: await logIn(origin) },
    });
    await using _client = client;
    await client.start();
    const { code } = await node.end("SIGTERM");
    assertEquals(code, 0);
    assertEquals(await bounded(client.events.next()), { kind: "reconnecting", error: undefined });
  });
}

for (const name of ["examples/auth", "examples/hono"]) {
  Deno.test(`SIGTERM ends ${name} when clients have left while they connected`, async () => {
    const [args, hub] = NODES[name] ?? [[], ""];
    await using node = Child.start(...args.map((arg) => absolute(arg)));
    const [, origin = ""] = await node.until(/(http:\/\/[\w.]+:\d+)/);
    const query = hub === "/board" ? `?access_token=${await logIn(origin)}` : "";
    // Deno has to be answering the upgrade at that moment, which not every client hits.
    for (let round = 0; round < 20; round++) {
      const clients = Array.from({ length: 20 }, () => upgradeAndReset(origin, hub + query));
      await Promise.all(clients);
    }
    const { code } = await node.end("SIGTERM");
    assertEquals(code, 0);
  });
}

/** Asks for a WebSocket, and resets the connection before there is an answer. */
function upgradeAndReset(origin: string, path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { hostname, port } = new URL(origin);
  const head = [
    `GET ${path} HTTP/1.1`,
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  const socket = connect(Number(port), hostname, () => {
    socket.write(`${head.join("\r\n")}\r\n\r\n`, () => socket.resetAndDestroy());
  });
  socket.on("error", () => {}).on("close", () => resolve());
  return promise;
}

Deno.test("a server alone does not keep its process alive", async () => {
  const source = `import { createHubServer, defineHub, MemoryBackplane } from "${ROOT}mod.ts";
createHubServer({ hubs: { "/hub": defineHub({ methods: {} }) }, backplane: new MemoryBackplane() });`;
  const process = new Deno.Command(Deno.execPath(), { args: ["eval", source] }).spawn();
  try {
    assertEquals((await bounded(process.status)).code, 0);
  } finally {
    await ended(process);
  }
});

async function ended(process: Deno.ChildProcess): Promise<void> {
  try {
    process.kill("SIGKILL");
  } catch {
    // The process has ended by itself.
  }
  await process.status;
}

async function logIn(origin: string): Promise<string> {
  const body = JSON.stringify({ name: "ann", password: "ann-secret" });
  const response = await fetch(`${origin}/login`, { method: "POST", body });
  return (await response.json()).token;
}

function absolute(argument: string): string {
  return argument.endsWith(".ts") ? new URL(argument, ROOT).href : argument;
}
