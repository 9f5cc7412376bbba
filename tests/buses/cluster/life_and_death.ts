import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { Child } from "../../kit/child.ts";
import { randomPrefix } from "../../kit/wait.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import { Observer } from "./observer.ts";

const PROGRAM = new URL("node.ts", import.meta.url).href;

/** How soon a bus that is back has to show every node again; the clients of a bus pause for 2 s at most. */
const BACK = 20_000;

function startChild(url: string): Child {
  return Child.start("run", "--allow-all", "--quiet", PROGRAM, url);
}

async function nameOf(child: Child): Promise<string> {
  const [, name = ""] = await child.until(/ready (\S+)/);
  return name;
}

/** Three nodes on a bus that is a server: they meet, the bus restarts, one dies, one stops and goes on. */
export async function tryLifeAndDeath(
  server: ServerProcess,
  urlOf: (server: ServerProcess, prefix: string) => string,
): Promise<void> {
  const url = urlOf(server, randomPrefix());
  await using observer = await Observer.start(url);
  await using killed = startChild(url);
  await using stopped = startChild(url);
  const [killedName, stoppedName] = await Promise.all([nameOf(killed), nameOf(stopped)]);
  await observer.until(killedName, "up");
  await observer.until(stoppedName, "up");
  for (const [child, other] of [[killed, stoppedName], [stopped, killedName]] as const) {
    for (const name of [observer.name, other]) await child.until(new RegExp(`${name}: .*→ up`));
  }

  await server.stop();
  await observer.until(killedName, "unknown");
  await server.start();
  for (const name of [killedName, stoppedName]) await observer.until(name, "up");
  for (const child of [killed, stopped]) {
    await child.until(new RegExp(`${observer.name}: unknown → up`), BACK);
    assert(!child.text.includes("→ dead"), child.text);
  }
  assertEquals(observer.seen.all.filter((change) => change.endsWith(": dead")), []);

  await killed.end("SIGKILL");
  stopped.signal("SIGSTOP");
  const since = performance.now();
  await Promise.all([killedName, stoppedName].map((name) => observer.until(name, "dead")));
  await delay(Math.max(0, since + 8000 - performance.now()));
  stopped.signal("SIGCONT");
  await observer.until(stoppedName, "up");
  assertEquals(observer.stateOf(killedName), "dead");
  // It did not listen for eight seconds: that is no fault of others.
  await stopped.until(new RegExp(`${killedName}: unknown → suspect`));
  assert(!new RegExp(`${observer.name}: .*→ dead`).test(stopped.text), stopped.text);

  await stopped.end("SIGTERM");
  assertEquals(observer.stateOf(stoppedName), "gone");
  assertEquals(observer.lines.filter((line) => line.includes("Ignored")), []);
}
