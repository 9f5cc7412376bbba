import { assertEquals, assertRejects } from "@std/assert";
import { NodeProcess } from "./node_process.ts";
import { natsUrl, startNats } from "../../kit/servers/nats_server.ts";
import { redisUrl, startRedis } from "../../kit/servers/redis_server.ts";

/** Runs `code`, which imports `file` of `backplanes/` as its first line, without any permission. */
async function runWithoutPermissions(file: string, code: string): Promise<string> {
  const url = new URL(`../../../backplanes/${file}`, import.meta.url);
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", "--ext=ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const source = code.replace("FILE", url.href);
  await ReadableStream.from([new TextEncoder().encode(source)]).pipeTo(process.stdin);
  const { stdout, stderr } = await process.output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

for (
  const [file, name] of [
    ["memory.ts", "MemoryBackplane"],
    ["broadcast_channel.ts", "BroadcastChannelBackplane"],
  ] as const
) {
  Deno.test(`${name} needs no permission, and its process ends when it is closed`, async () => {
    const output = await runWithoutPermissions(
      file,
      `import { ${name} } from "FILE";
       const one = new ${name}("name");
       const two = new ${name}("name");
       const heard = Promise.withResolvers<string>();
       await two.subscribe("a", (payload) => heard.resolve(new TextDecoder().decode(payload))).confirmed;
       await one.publish("a", new TextEncoder().encode("b"));
       console.log("heard", await heard.promise);
       await Promise.all([one.close(), two.close()]);`,
    );
    assertEquals(output, "heard b\n");
  });
}

for (const url of ["memory:", "memory:permissions", "broadcast:permissions"]) {
  Deno.test(`a node on ${url} needs --allow-net alone`, async () => {
    await using node = await NodeProcess.start(["--allow-net"], url);
    assertEquals(await node.shout("hello"), ["hello"]);
  });
}

Deno.test("a node on NATS needs --allow-net alone", async () => {
  await using server = await startNats();
  await using node = await NodeProcess.start(["--allow-net"], natsUrl(server, "permissions"));
  assertEquals(await node.shout("hello"), ["hello"]);
});

for (const permission of ["--ignore-env", "--allow-env"]) {
  Deno.test(`a node on Redis needs --allow-net and ${permission}`, async () => {
    await using server = await startRedis();
    const url = redisUrl(server, "permissions:");
    await using node = await NodeProcess.start(["--allow-net", permission], url);
    assertEquals(await node.shout("hello"), ["hello"]);
  });
}

for (
  const permission of ["--ignore-env", "--allow-env=WS_NO_BUFFER_UTIL,WS_NO_UTF_8_VALIDATE"]
) {
  Deno.test(`a node behind listen() needs --allow-net and ${permission}`, async () => {
    await using node = await NodeProcess.start(["--allow-net", permission], "memory:", "listen");
    assertEquals(await node.shout("hello"), ["hello"]);
  });
}

Deno.test("a node behind listen() with --allow-net alone says that it needs the environment", async () => {
  await assertRejects(
    () => NodeProcess.start(["--allow-net"], "memory:", "listen"),
    Error,
    "--allow-env",
  );
});

Deno.test("a node on Redis with --allow-net alone says that it needs the environment", async () => {
  await assertRejects(
    () => NodeProcess.start(["--allow-net"], "redis://127.0.0.1:1"),
    Error,
    "--allow-env",
  );
});
