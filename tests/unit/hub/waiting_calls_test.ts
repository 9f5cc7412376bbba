/**
 * While a call waits for the calls before it, everything else that its client sends is heard.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { HubClients } from "../../../mod.ts";
import { call, cancel, end, item, result, uploading } from "../../kit/messages.ts";
import { settle } from "../../kit/pipe.ts";
import { withSeed } from "../../kit/random.ts";
import { type Client, holdUp, start } from "./waiting_client.ts";

Deno.test("acknowledgements are heard while a call waits for its slot", async () => {
  await using node = await start({ statefulReconnectBufferSize: 1000 });
  const { core, pipe, happened } = node;
  holdUp(node);
  const clients = core.live.clients as unknown as HubClients<Client>;
  for (let sent = 1; sent <= 20; sent++) {
    clients.all.send("got", "x".repeat(1000));
    core.pass(1000);
    pipe.send({ type: 8, sequenceId: sent });
    await settle();
  }
  assertEquals(happened.all, ["hold first"]);
  assertEquals(pipe.ends, []);
});

Deno.test("pings are heard while a call waits for its slot, and the calls are acknowledged", async () => {
  await using node = await start({ clientTimeoutInterval: 5000 });
  const { core, pipe } = node;
  holdUp(node);
  core.pass(1000);
  await settle();
  assert(pipe.records.some((record) => JSON.stringify(record) === '{"type":8,"sequenceId":2}'));
  for (let second = 0; second < 20; second++) {
    pipe.send({ type: 6 });
    core.pass(1000);
  }
  assertEquals(pipe.ends, []);
});

Deno.test("a client that is silent after its first ping is closed, even while one of its calls waits", async () => {
  await using node = await start({ clientTimeoutInterval: 5000 });
  const { core, pipe, happened } = node;
  pipe.send({ type: 6 });
  holdUp(node);
  core.pass(4000);
  assertEquals(pipe.ends, []);
  core.pass(1000);
  assertEquals(pipe.ends, [1000]);
  await happened.find((text) => text.startsWith("disconnected Client hasn't sent a message"));
});

Deno.test("a cancellation of a running call is heard while a call waits for its slot", async () => {
  await using node = await start();
  const { pipe, happened } = node;
  holdUp(node);
  pipe.send(cancel("h"));
  assertEquals(happened.all, ["hold first", "aborted first"]);
});

Deno.test("a cancellation and items of a running call are heard while the client does not take its answers", async () => {
  await using node = await start();
  const { pipe, happened } = node;
  pipe.stuck = true;
  const clients = node.core.live.clients as unknown as HubClients<Client>;
  clients.all.send("got", "x".repeat(300_000));
  pipe.send(uploading("u", "read", ["s"], "s"), item("s", 1), call("w", "note", "waited"));
  await settle();
  assertEquals(happened.all, ["read s", "s 1"]);
  pipe.bufferedBytes = 0;
  pipe.send({ type: 8, sequenceId: 1 });
  await happened.find((text) => text === "waited");
  clients.all.send("got", "x".repeat(300_000));
  pipe.send(call("h", "hold", "first"), cancel("h"));
  assertEquals(happened.all.slice(3), ["hold first", "aborted first"]);
});

Deno.test("a result of the client is heard while a call waits for its slot", async () => {
  await using node = await start();
  const { pipe, happened } = node;
  pipe.send(call("1", "ask"));
  const { invocationId } = await pipe.next() as { invocationId: string };
  holdUp(node);
  pipe.send(result(invocationId, 42));
  await settle();
  assertEquals(happened.all, ["hold first", "answer 42"]);
});

Deno.test("items of a running upload are heard while a call waits for its slot", async () => {
  await using node = await start();
  const { pipe, happened } = node;
  pipe.send(uploading("1", "read", ["s"], "s"));
  holdUp(node);
  pipe.send(item("s", 1), item("s", 2), end("s"));
  await settle();
  assertEquals(happened.all, ["read s", "hold first", "s 1", "s 2", "s ends"]);
});

Deno.test("what names a waiting call waits with that call, and every call keeps its place", async () => {
  await using node = await start();
  const { pipe, happened, held } = node;
  holdUp(node);
  pipe.send(uploading("2", "read", ["s"], "s"), call("3", "hold", "third"));
  pipe.send(item("s", 1), cancel("3"), call("4", "note", "fourth"), item("s", 2), end("s"));
  await settle();
  assertEquals(happened.all, ["hold first"]);
  (await held.next()).resolve();
  await settle();
  const items = happened.all.filter((text) => text.startsWith("s "));
  assertEquals(items, ["s 1", "s 2", "s ends"]);
  const calls = happened.all.slice(1).filter((text) => !items.includes(text));
  assertEquals(calls, ["waited", "read s", "hold third", "aborted third"]);
  (await held.next()).resolve();
  await settle();
  assertEquals(happened.all.at(-1), "fourth");
});

Deno.test("a Close and a broken rule wait behind the calls before them", async () => {
  for (
    const [last, why] of [[{ type: 7 }, undefined], [
      { type: 1 },
      "Missing required property 'target'.",
    ]]
  ) {
    await using node = await start();
    const { pipe, happened, held, connection } = node;
    holdUp(node);
    pipe.send(last, call("5", "note", "never"));
    await settle();
    assertEquals(happened.all, ["hold first"]);
    (await held.next()).resolve();
    await connection.finished;
    assertEquals(happened.all, ["hold first", "waited", `disconnected ${why}`]);
  }
});

Deno.test("calls begin in the order in which they were sent, whatever their client sends between them", () =>
  withSeed(async (random) => {
    await using node = await start();
    const { pipe, happened, held } = node;
    const sent: string[] = [];
    let open: string | undefined;
    for (let step = 0; step < 400; step++) {
      const kind = Math.floor(random() * 6);
      if (kind < 2) {
        const target = kind === 0 ? "note" : "hold";
        sent.push(kind === 0 ? `${step}` : `hold ${step}`);
        pipe.send(call(`${step}`, target, `${step}`));
      } else if (kind === 2 && open === undefined) {
        sent.push(`read ${open = `${step}`}`);
        pipe.send(uploading(`u${step}`, "read", [open], open));
      } else if (kind === 3 && open !== undefined) {
        pipe.send(...random() < 0.2 ? [end(open)] : [item(open, step), item(open, step + 0.5)]);
        if (random() < 0.1) open = undefined;
      } else if (kind === 4) pipe.send({ type: 6 });
      else if (held.all.length > 0) held.all[Math.floor(random() * held.all.length)]?.resolve();
      if (random() < 0.2) await settle();
    }
    for (let rest = 0; rest < 200; rest++) {
      for (const waiting of held.all) waiting.resolve();
      await settle();
    }
    assertEquals(happened.all.filter((text) => /^(\d+|hold \d+|read \d+)$/.test(text)), sent);
  }));
