import { assertEquals, assertMatch } from "@std/assert";
import { Watchdog } from "../../../hub/listen/watchdog.ts";
import { KeptLog } from "../../kit/log.ts";

/** A server that is watched. Time passes with each `look()`. */
class WatchedServer {
  readonly address = "0.0.0.0:8000";
  readonly log: KeptLog = new KeptLog();
  readonly watchdog: Watchdog = new Watchdog(this, this.log);
  /** Whether the server accepts connections. */
  deaf = false;
  /** Whether the process has no descriptor to dial with. */
  exhausted = false;
  dialled = 0;
  open = 0;
  opened = 0;

  dial(answered: () => void, failed: () => void): () => void {
    this.dialled++;
    this.open++;
    if (this.exhausted) queueMicrotask(failed);
    else if (!this.deaf) queueMicrotask(answered);
    return () => this.open--;
  }

  listenAgain(): void {
    this.opened++;
    this.deaf = false;
  }

  async look(times = 1): Promise<void> {
    for (let n = 0; n < times; n++) {
      this.watchdog.look();
      await Promise.resolve();
    }
  }
}

Deno.test("Watchdog dials only a server to which nobody else connects", async () => {
  const server = new WatchedServer();
  for (let n = 0; n < 10; n++) {
    server.watchdog.accepted();
    await server.look();
  }
  assertEquals([server.dialled, server.open], [0, 0]);
  await server.look(10);
  assertEquals([server.dialled, server.open, server.opened], [5, 0, 0]);
  assertEquals(server.log.lines, []);
});

Deno.test("Watchdog opens the port of a server that has gone deaf again, and says so", async () => {
  const server = new WatchedServer();
  server.deaf = true;
  await server.look(3);
  assertEquals([server.dialled, server.open, server.opened], [1, 1, 0]);
  await server.look();
  assertEquals([server.dialled, server.open, server.opened], [1, 0, 1]);
  assertMatch(server.log.lines[0] ?? "", /^error 0.0.0.0:8000 accepted no connection .*ulimit -n/);
  await server.look(20);
  assertEquals([server.open, server.opened, server.log.lines.length], [0, 1, 1]);
});

Deno.test("Watchdog gives a server that stood still the time to accept", async () => {
  const server = new WatchedServer();
  server.deaf = true;
  await server.look(3);
  // The first look after the pause comes before the connection that waited.
  server.watchdog.accepted();
  server.deaf = false;
  await server.look(10);
  assertEquals([server.open, server.opened, server.log.lines], [0, 0, []]);
});

Deno.test("Watchdog concludes nothing when it cannot dial, and finds out later", async () => {
  const server = new WatchedServer();
  server.deaf = server.exhausted = true;
  await server.look(20);
  assertEquals([server.open, server.opened], [0, 0]);
  server.exhausted = false;
  await server.look(4);
  assertEquals([server.open, server.opened], [0, 1]);
});

Deno.test("stop() ends the connection of a watchdog", async () => {
  const server = new WatchedServer();
  server.deaf = true;
  await server.look(2);
  assertEquals(server.open, 1);
  server.watchdog.stop();
  server.watchdog.stop();
  assertEquals(server.open, 0);
});
