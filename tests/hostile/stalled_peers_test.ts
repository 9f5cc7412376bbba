import { assert, assertEquals, assertLess } from "@std/assert";
import { delay } from "@std/async";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { invocation, maskedText, MeasuredNode, openRaw, type Usage, write } from "./fixture.ts";

const PEERS = 1000;

async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let tries = 0; !await condition(); tries++) {
    assert(tries < 300, `gave up waiting until ${what}`);
    await delay(50);
  }
}

function report(label: string, usage: Usage): void {
  if (Deno.env.has("HUBPLANE_FIGURES")) {
    Deno.stdout.writeSync(
      new TextEncoder().encode(`${label}: ${usage.rssMiB} MiB, ${usage.descriptors} descriptors\n`),
    );
  }
}

Deno.test("fetch() outlives 1,000 peers that never read, and nobody else notices", async () => {
  await using node = await MeasuredNode.start();
  const healthy = new HubConnectionBuilder()
    .withUrl(`http://127.0.0.1:${node.port}/hub`)
    .configureLogging(LogLevel.None).build();
  const numbers: number[] = [];
  healthy.on("text", (number: number) => numbers.push(number));
  await healthy.start();
  await healthy.invoke("join", "all");
  const before = node.usage();
  report("before", before);

  const peers = await Promise.all(Array.from({ length: PEERS }, () => openRaw(node.port)));
  for (const peer of peers) await write(peer, maskedText(invocation("join", "all")));
  await until(async () => await healthy.invoke("open") === PEERS + 1, "all are connected");
  report("with 1,000 peers", node.usage());

  // 8 MiB for each peer, eight times what may be unsent and what the kernel takes for it.
  const sent = await healthy.invoke<number>("flood", "all", 512, 16 * 1024);
  await until(() => numbers.length === sent, "the healthy client has everything");
  assertEquals(numbers, Array.from({ length: sent }, (_, number) => number));
  await until(async () => await healthy.invoke("open") === 1, "the stalled are out of the hub");
  const stalled = node.usage();
  report("stalled and closed", stalled);
  // At most the limit for each (1 MiB), and room for the allocator.
  assertLess(stalled.rssMiB - before.rssMiB, PEERS * 1.5);

  for (const peer of peers) peer.close();
  await until(
    () => node.usage().descriptors < before.descriptors + 20,
    "the descriptors of the peers are free",
  );
  report("peers gone", node.usage());
  await healthy.stop();
});

Deno.test("fetch() closes a connection that floods during a slow method", async () => {
  await using node = await MeasuredNode.start();
  const peer = await openRaw(node.port);
  await peer.read(new Uint8Array(1024));
  const before = node.usage();
  report("before the flood", before);
  await write(peer, maskedText(invocation("slow")));
  // 16 MiB against a limit of 1 MiB; writing fails once the node has closed.
  const chunk = maskedText(invocation("slow").repeat(1000));
  let closed = false;
  try {
    for (let i = 0; i < 400; i++) await write(peer, chunk);
  } catch {
    closed = true;
  }
  report("after the flood", node.usage());
  const received = await readAll(peer).catch(() => "");
  assert(
    closed || received.includes('{"type":7,"allowReconnect":true}'),
    "the flood was let through",
  );
  assertLess(node.usage().rssMiB - before.rssMiB, 200);
  peer.close();
  // The node still serves.
  const healthy = new HubConnectionBuilder()
    .withUrl(`http://127.0.0.1:${node.port}/hub`)
    .configureLogging(LogLevel.None).build();
  await healthy.start();
  await until(async () => await healthy.invoke("open") === 1, "the flooder is out of the hub");
  await healthy.stop();
});

async function readAll(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let text = "";
  for (let read; (read = await connection.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, read));
    if (text.includes('"type":7')) break;
  }
  return text;
}
