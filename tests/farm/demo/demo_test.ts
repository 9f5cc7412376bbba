import { assert, assertEquals, assertRejects } from "@std/assert";
import { freePort } from "../../kit/servers/server_process.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";
import { Person } from "./person.ts";
import { bounded, type Demo, freePorts, Program, startDemo } from "./program.ts";

/** Asserts that somebody on each node hears somebody on the other one. */
async function assertTalks({ urls, ports }: Demo): Promise<void> {
  assertEquals(urls, [`http://127.0.0.1:${ports[0]}/`, `http://127.0.0.1:${ports[1]}/`]);
  await using ann = await Person.at(urls[0], "Ann");
  await using bob = await Person.at(urls[1], "Bob");
  await ann.call("join", "lobby");
  await bob.call("join", "lobby");
  await ann.hears("joined", "lobby", "Bob", `${ports[1]}`);
  assertEquals(await ann.call("say", "lobby", "hello"), { reachedOthers: true });
  await bob.hears("message", "lobby", "Ann", "hello", `${ports[0]}`);
  await bob.call("say", "lobby", "hello yourself");
  await ann.hears("message", "lobby", "Bob", "hello yourself", `${ports[1]}`);
  await bob.call("leave", "lobby");
  await ann.hears("left", "lobby", "Bob", `${ports[1]}`);
}

/** Asserts that a program ends with 1 and one line that matches. */
async function assertRefuses(program: Program, line: RegExp): Promise<void> {
  const { code, output, errors } = await bounded(program.ended);
  assertEquals({ code, output, lines: errors.split("\n").length }, {
    code: 1,
    output: "",
    lines: 2,
  });
  assert(line.test(errors), `${errors} does not match ${line}`);
}

Deno.test("demo joins two workers when it is told nothing of a bus", async () => {
  const demo = await startDemo();
  await using program = demo.program;
  assertEquals(demo.pids, []);
  await assertTalks(demo);
  program.signal("SIGTERM");
  assertEquals((await bounded(program.ended)).code, 0);
  for (const url of demo.urls) await assertRejects(() => fetch(url), TypeError);
});

Deno.test("demo joins two processes on Redis", async () => {
  await using redis = await startRedis();
  const demo = await startDemo(redisUrl(redis, "demo:"));
  await using program = demo.program;
  assertEquals(new Set(demo.pids).size, 2);
  await assertTalks(demo);
  program.signal("SIGTERM");
  assertEquals((await bounded(program.ended)).code, 0);
  for (const url of demo.urls) await assertRejects(() => fetch(url), TypeError);
});

Deno.test("demo joins two processes on NATS", async () => {
  await using nats = await startNats();
  const demo = await startDemo(natsUrl(nats, "demo:"));
  await using program = demo.program;
  assertEquals(new Set(demo.pids).size, 2);
  await assertTalks(demo);
  program.signal("SIGINT");
  assertEquals((await bounded(program.ended)).code, 0);
});

Deno.test("demo says which node has ended, and goes on with the other", async () => {
  await using redis = await startRedis();
  const { program, urls, pids } = await startDemo(redisUrl(redis, "demo:"));
  await using _ended = program;
  const [first = 0, second = 0] = pids;
  Deno.kill(second, "SIGKILL");
  await program.until(new RegExp(`The node at ${urls[1]} has ended`));
  await using ann = await Person.at(urls[0], "Ann");
  await ann.call("join", "lobby");
  Deno.kill(first, "SIGKILL");
  assertEquals((await bounded(program.ended)).code, 1);
});

Deno.test("demo exits with 1 and says in one line that it cannot reach the bus", async () => {
  const port = freePort();
  for (const [scheme, name] of [["redis", "Redis"], ["nats", "NATS"]]) {
    await using program = new Program("demo", [
      ...["--port", `${freePorts()}`, "--backplane", `${scheme}://127.0.0.1:${port}`],
    ]);
    await assertRefuses(program, new RegExp(`${name} at 127.0.0.1:${port}: connection refused`));
  }
});

Deno.test("demo exits with 1 and says in one line that a port is in use", async () => {
  await using redis = await startRedis();
  const port = freePorts();
  for (const taken of [port, port + 1]) {
    using _listener = Deno.listen({ hostname: "127.0.0.1", port: taken });
    for (const backplane of ["broadcast:chat", redisUrl(redis, "demo:")]) {
      await using program = new Program("demo", [`--port=${port}`, `--backplane=${backplane}`]);
      await assertRefuses(program, new RegExp(`Cannot listen on port ${taken}: it is in use`));
    }
  }
  // Nor has it left a node behind.
  Deno.listen({ hostname: "127.0.0.1", port }).close();
});

Deno.test("demo and node exit with 1 and one line when their arguments are wrong", async () => {
  const wrong: readonly (readonly [args: readonly string[], line: RegExp])[] = [
    [["--port", "0"], /^--port takes a number from 1 to 6553\d; usage: deno task (demo|node) \[/],
    [["--port", "65536"], /^--port takes/],
    [["--port", "8e3"], /^--port takes/],
    [["--port"], /^Option '--port <value>' argument missing; usage:/],
    [["--verbose"], /^Unknown option '--verbose'; usage:/],
    [["redis://127.0.0.1"], /^Unexpected argument 'redis:\/\/127.0.0.1'; usage:/],
    [["--backplane", "kafka://127.0.0.1"], /its scheme is kafka:; supported are/],
  ];
  for (const name of ["demo", "node"] as const) {
    for (const [args, line] of wrong) {
      await using program = new Program(name, [`--port=${freePorts()}`, ...args]);
      await assertRefuses(program, line);
    }
  }
  await using program = new Program("demo", ["--backplane", "memory:chat"]);
  await assertRefuses(program, /^Cannot start two nodes on memory:/);
});
