import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect, type NatsConnection } from "nats";
import { BackplaneClosedError } from "../../../backplanes/errors.ts";
import { NatsBackplane } from "../../../backplanes/nats.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { bounded, bytes, Inbox, nextEvent, randomPrefix, untilStatus } from "../../kit/wait.ts";

// The sanitizers see to it that each leaves no socket and no timer behind.
async function assertCloses(backplane: NatsBackplane): Promise<void> {
  const waiting = assertRejects(
    () => backplane.subscribe("a", () => {}).confirmed,
    BackplaneClosedError,
  );
  await bounded(Promise.all([backplane.close(), backplane.close()]));
  await bounded(waiting);
  assertEquals(backplane.status, "closed");
  await assertRejects(() => backplane.publish("a", bytes("")), BackplaneClosedError);
}

Deno.test("close() ends a backplane that has just been made", async () => {
  await using server = await startNats();
  await assertCloses(new NatsBackplane(natsUrl(server, "p")));
});

Deno.test("close() ends a backplane whose server is not there", async () => {
  await using server = await startNats({ running: false });
  const backplane = new NatsBackplane(natsUrl(server, "p"));
  await nextEvent(backplane, ({ error }) => /connection refused/.test(error?.message ?? ""));
  await assertCloses(backplane);
});

Deno.test("close() ends a backplane that dials a server which hangs", async () => {
  await using server = await startNats();
  server.pause();
  const backplane = new NatsBackplane(natsUrl(server, "p"));
  await nextEvent(backplane, ({ error }) => /no answer within/.test(error?.message ?? ""));
  // By now it waits, or dials again.
  await assertCloses(backplane);
});

Deno.test("close() ends a backplane while a server is silent or speaks of something else", async () => {
  for (
    const says of ["", "HTTP/1.1 400 Bad Request\r\n\r\n", "INFO {broken\r\n", "\0".repeat(100)]
  ) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = listener.accept();
    const backplane = new NatsBackplane(`nats://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`);
    using connection = await bounded(accepted);
    await connection.write(bytes(says));
    await assertCloses(backplane);
  }
});

Deno.test("close() ends a backplane that has lost its server", async () => {
  await using server = await startNats();
  const backplane = new NatsBackplane(natsUrl(server, "p"));
  await bounded(backplane.subscribe("a", () => {}).confirmed);
  const away = untilStatus(backplane, "reconnecting");
  await server.stop();
  await away;
  await assertCloses(backplane);
});

Deno.test("close() rejects what was published and not yet accepted", async () => {
  await using server = await startNats();
  const backplane = new NatsBackplane(natsUrl(server, "p"));
  await untilStatus(backplane, "open");
  server.pause();
  const published = assertRejects(() => backplane.publish("a", bytes("a")), BackplaneClosedError);
  await assertCloses(backplane);
  await bounded(published);
});

Deno.test("NatsBackplane goes on trying after a server that speaks of something else", async () => {
  await using server = await startNats({ running: false });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: server.port });
  const answering = (async () => {
    for await (const connection of listener) {
      await connection.write(bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
      connection.close();
    }
  })();
  await using backplane = new NatsBackplane(natsUrl(server, "p"));
  await nextEvent(backplane, ({ error }) => /does not speak NATS/.test(error?.message ?? ""));
  listener.close();
  await answering;
  const open = untilStatus(backplane, "open");
  await server.start();
  await open;
});

Deno.test("NatsBackplane reports a gap that begins before a server hangs", async () => {
  await using server = await startNats();
  const prefix = randomPrefix("");
  const options = { probeInterval: 100, probeTimeout: 200 };
  await using backplane = new NatsBackplane(natsUrl(server, prefix), options);
  await bounded(backplane.subscribe("a", () => {}).confirmed);
  const away = nextEvent(backplane, ({ status }) => status === "reconnecting");
  const back = nextEvent(backplane, ({ gap }) => gap !== undefined);
  server.pause();
  const paused = Date.now();
  await away;
  const noticed = Date.now();
  assert(noticed - paused < 2000, `noticed after ${noticed - paused} ms`);
  server.resume();
  const { status, gap } = await back;
  assertEquals(status, "open");
  assert(gap !== undefined && gap.since <= paused && gap.until >= noticed, JSON.stringify(gap));
});

Deno.test("NatsBackplane leaves other users of npm nats their own transport", async () => {
  await using server = await startNats();
  const own: NatsConnection = await connect({
    servers: `127.0.0.1:${server.port}`,
    reconnectTimeWait: 20,
    maxReconnectAttempts: -1,
  });
  await using backplane = new NatsBackplane(natsUrl(server, "p"));
  await untilStatus(backplane, "open");
  const statuses = own.status()[Symbol.asyncIterator]();
  await server.stop();
  await server.start();
  for (let type = ""; type !== "reconnect";) {
    const { value, done } = await bounded(statuses.next());
    assert(!done, "closed");
    type = value.type;
  }
  await own.flush();
  const { protocol } = own as unknown as { protocol: { transport: object } };
  assertEquals(protocol.transport.constructor.name, "NodeTransport");
  await own.close();
});

Deno.test("NatsBackplane needs no permission but --allow-net", async () => {
  await using server = await startNats();
  const module = new URL("../../../backplanes/nats.ts", import.meta.url).href;
  const script = `
    import { NatsBackplane } from ${JSON.stringify(module)};
    await using backplane = new NatsBackplane(${JSON.stringify(natsUrl(server, "p"))});
    await backplane.subscribe("a", () => {}).confirmed;
    await backplane.publish("a", new Uint8Array(1));
    console.log(backplane.status);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1", "-"],
    cwd: new URL("../../..", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(bytes(script));
  await input.close();
  const { stdout, stderr } = await bounded(child.output());
  const text = (output: Uint8Array) => new TextDecoder().decode(output);
  assertEquals([text(stdout), text(stderr)], ["open\n", ""]);
});

Deno.test("NatsBackplane hands out what came before the server ended, before what comes after", async () => {
  await using server = await startNats();
  const prefix = randomPrefix("");
  await using publisher = new NatsBackplane(natsUrl(server, prefix));
  await using subscriber = new NatsBackplane(natsUrl(server, prefix));
  const inbox = new Inbox();
  await bounded(subscriber.subscribe("a", inbox.receive).confirmed);
  await untilStatus(publisher, "open");
  const texts = Array.from({ length: 1000 }, (_, number) => `${number}`);
  await Promise.all(texts.map((text) => publisher.publish("a", bytes(text))));
  const back = nextEvent(subscriber, ({ gap }) => gap !== undefined);
  await server.stop();
  await server.start();
  await back;
  await untilStatus(publisher, "open");
  await bounded(publisher.publish("a", bytes("after")));
  while (inbox.all.at(-1) !== "after") await inbox.count(inbox.all.length + 1);
  assertEquals(inbox.all, [...texts.slice(0, inbox.all.length - 1), "after"]);
});
