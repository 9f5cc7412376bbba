import { assert, assertEquals } from "@std/assert";
import { freePort } from "../../kit/servers/server_process.ts";
import { startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { Person } from "./person.ts";
import { bounded, Program, startChatNode } from "./program.ts";

/** Connects without the official client; `last` resolves with the last message when it is closed. */
async function openRaw(url: string): Promise<{ readonly last: Promise<string> }> {
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<string>();
  const socket = new WebSocket(new URL("/chat?name=Raw", url));
  let last = "";
  socket.onopen = () => socket.send('{"protocol":"json","version":1}\x1e');
  socket.onmessage = ({ data }) => {
    last = String(data);
    opened.resolve();
  };
  socket.onclose = () => closed.resolve(last);
  await bounded(opened.promise);
  return { last: closed.promise };
}

/** Resolves once `person` has `name` in the room, whoever else is there. */
async function untilJoined(person: Person, name: string, url: string): Promise<void> {
  await person.hears("joined", "lobby", name, new URL(url).port);
}

Deno.test("node lets running calls finish at SIGTERM, asks to reconnect, and exits with 0", async () => {
  await using redis = await startRedis();
  const { program, url } = await startChatNode(redisUrl(redis, "node:"));
  await using _ended = program;
  await using ann = await Person.at(url, "Ann");
  await ann.call("join", "lobby");
  const { promise: closed, resolve } = Promise.withResolvers<Error | undefined>();
  ann.connection.onclose(resolve);
  const raw = await openRaw(url);

  // Redis accepts nothing for now, so that the call is still running when the signal comes.
  redis.pause();
  const said = ann.call("say", "lobby", "wait for me");
  await ann.hears("message", "lobby", "Ann", "wait for me", new URL(url).port);
  program.signal("SIGTERM");
  assertEquals(await bounded(raw.last), '{"type":7,"allowReconnect":true}\x1e');
  redis.resume();

  assertEquals(await said, { reachedOthers: true });
  assertEquals(await bounded(closed), undefined);
  assertEquals((await bounded(program.ended)).code, 0);
});

Deno.test("node tells the rooms of its people on other nodes that they have gone when it stops", async () => {
  await using redis = await startRedis();
  const first = await startChatNode(redisUrl(redis, "node:"));
  await using _first = first.program;
  const second = await startChatNode(redisUrl(redis, "node:"));
  await using _second = second.program;
  await using ann = await Person.at(first.url, "Ann");
  await ann.call("join", "lobby");
  await using bob = await Person.at(second.url, "Bob");
  await bob.call("join", "lobby");
  await untilJoined(ann, "Bob", second.url);
  second.program.signal("SIGTERM");
  await ann.hears("left", "lobby", "Bob", new URL(second.url).port);
  assertEquals((await bounded(second.program.ended)).code, 0);
});

Deno.test("node tells who speaks that others may lack the message while the bus is away", async () => {
  await using redis = await startRedis();
  const { program, url } = await startChatNode(redisUrl(redis, "node:"));
  await using _ended = program;
  await using ann = await Person.at(url, "Ann");
  await using bob = await Person.at(url, "Bob");
  await ann.call("join", "lobby");
  await bob.call("join", "lobby");
  await redis.stop();
  assertEquals(await ann.call("say", "lobby", "alone?"), { reachedOthers: false });
  await bob.hears("message", "lobby", "Ann", "alone?", new URL(url).port);
});

Deno.test("node exits with 1 and says why when the bus refuses it", async () => {
  await using redis = await startRedis({ args: ["--requirepass", "right"] });
  await using nats = await startNats({ args: ["--user", "ann", "--pass", "right"] });
  for (
    const [backplane, line] of [
      [`redis://:wrong@127.0.0.1:${redis.port}`, /Redis .*WRONGPASS/],
      [`nats://ann:wrong@127.0.0.1:${nats.port}`, /NATS .*Authorization/i],
    ] as const
  ) {
    await using program = new Program("node", [`--port=${freePort()}`, `--backplane=${backplane}`]);
    const { code, output, errors } = await bounded(program.ended);
    const lines = errors.trimEnd().split("\n");
    // The driver logs it, and the node says why it ends.
    assertEquals({ code, output, lines: lines.length }, { code: 1, output: "", lines: 2 });
    assert(lines.every((said) => line.test(said) && !said.includes(":wrong")), errors);
  }
});

Deno.test("node exits with 1 and one line when its port is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await using program = new Program("node", ["--port", `${port}`]);
  const { code, output, errors } = await bounded(program.ended);
  assertEquals({ code, output, errors }, {
    code: 1,
    output: "",
    errors: `Cannot listen on port ${port}: it is in use\n`,
  });
});
