import { assertEquals } from "@std/assert";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { defineHub, type HubContext } from "../../../mod.ts";
import { bounded } from "../../kit/wait.ts";
import { type CoreClient, HubCore } from "../../kit/hub_core.ts";
import { settle } from "../../kit/pipe.ts";
import { type AskedClient, outcome } from "./asking.ts";

type Context = HubContext<AskedClient>;

/** Served by nobody: all that follows takes place in memory, where time passes when the test says so. */
const silentHub = defineHub({ methods: {} });

/** Asks a client by its id. */
function question(core: HubCore, id: string, timeout: number): Promise<unknown> {
  const clients = core.live.clients as unknown as Context["clients"];
  return outcome(clients.client(id).with({ timeout }).invoke("answer", 1));
}

/** Whether `core` still keeps a question: then another client that answers it is closed. */
async function keeps(core: HubCore, invocationId: string): Promise<boolean> {
  const { pipe, connection } = await core.connect();
  pipe.send({ type: 3, invocationId, result: 1 });
  await settle();
  const closed = connection.isClosed;
  pipe.vanish();
  await connection.finished;
  return closed;
}

/** The id of the question that a client was asked. */
async function asked({ pipe }: CoreClient): Promise<string> {
  const { invocationId } = await pipe.next() as { readonly invocationId: string };
  return invocationId;
}

Deno.test("a question that nobody answers is forgotten at its timeout", async () => {
  await using core = new HubCore(silentHub);
  const client = await core.connect();
  const result = question(core, client.connection.id, 1000);
  const id = await asked(client);
  assertEquals(await keeps(core, id), true);
  core.pass(999);
  assertEquals(await keeps(core, id), true);
  core.pass(1);
  assertEquals(await result, "HubError: The client did not answer within 1000 ms.");
  assertEquals(await keeps(core, id), false);
});

Deno.test("a client that never answers leaves nothing on any node once it has gone", async () => {
  const bus = new MemoryBus();
  await using owner = new HubCore(silentHub, {}, new MemoryBackplane(bus), "owner");
  await using other = new HubCore(silentHub, {}, new MemoryBackplane(bus), "other");
  await Promise.all([owner.live.start(), other.live.start()]);
  const client = await owner.connect();
  const result = question(other, client.connection.id, 1000);
  const id = await asked(client);
  other.pass(1000);
  assertEquals(await result, "HubError: The client did not answer within 1000 ms.");
  assertEquals(await keeps(other, id), false);
  // The owner is not told; it keeps the question while the client may still answer.
  assertEquals(await keeps(owner, id), true);
  client.pipe.vanish();
  await client.connection.finished;
  assertEquals(await keeps(owner, id), false);
});

Deno.test("a question whose client goes is forgotten on both nodes", async () => {
  const bus = new MemoryBus();
  await using owner = new HubCore(silentHub, {}, new MemoryBackplane(bus), "owner");
  await using other = new HubCore(silentHub, {}, new MemoryBackplane(bus), "other");
  await Promise.all([owner.live.start(), other.live.start()]);
  for (const asking of [owner, other]) {
    const client = await owner.connect();
    const result = question(asking, client.connection.id, 1000);
    const id = await asked(client);
    client.pipe.vanish();
    assertEquals(
      await bounded(result),
      `ClientConnectionError: Connection '${client.connection.id}' disconnected.`,
    );
    await client.connection.finished;
    for (const core of [owner, other]) assertEquals(await keeps(core, id), false);
  }
});

Deno.test("a question that is under way when its server closes is given up", async () => {
  const core = new HubCore(silentHub);
  const client = await core.connect();
  const result = question(core, client.connection.id, 1000);
  await asked(client);
  await core[Symbol.asyncDispose]();
  assertEquals(
    await bounded(result),
    `ClientConnectionError: Connection '${client.connection.id}' disconnected.`,
  );
  const bus = new MemoryBus();
  await using owner = new HubCore(silentHub, {}, new MemoryBackplane(bus), "owner");
  const other = new HubCore(silentHub, {}, new MemoryBackplane(bus), "other");
  await Promise.all([owner.live.start(), other.live.start()]);
  const remote = await owner.connect();
  const remoteResult = question(other, remote.connection.id, 1000);
  await asked(remote);
  await other[Symbol.asyncDispose]();
  assertEquals(await bounded(remoteResult), "HubError: Invocation canceled by the server.");
});

Deno.test("a closed backplane fails a question that needs it, and no other", async () => {
  const backplane = new MemoryBackplane();
  await using core = new HubCore(silentHub, {}, backplane);
  const client = await core.connect();
  await backplane.close();
  const elsewhere = await question(core, "elsewhere", 1000);
  assertEquals(String(elsewhere).split(":")[0], "BackplaneClosedError");
  const here = question(core, client.connection.id, 1000);
  const id = await asked(client);
  client.pipe.send({ type: 3, invocationId: id, result: "still here" });
  assertEquals(await here, { value: "still here" });
});
