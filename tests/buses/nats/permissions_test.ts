import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { BackplaneStatusEvent } from "../../../backplanes/backplane.ts";
import { BackplaneError } from "../../../backplanes/errors.ts";
import { NatsBackplane, type NatsBackplaneOptions } from "../../../backplanes/nats.ts";
import { KeptLog } from "../../kit/log.ts";
import { startNats } from "../../kit/servers/nats_server.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import { bounded, bytes, Inbox, nextEvent, untilStatus } from "../../kit/wait.ts";

/** A server, and the file of what its user may do; SIGHUP makes the server read it again. */
class GuardedServer implements AsyncDisposable {
  readonly process: ServerProcess;
  readonly #file: string;

  private constructor(process: ServerProcess, file: string) {
    this.process = process;
    this.#file = file;
  }

  static async start(permissions: string): Promise<GuardedServer> {
    const file = await Deno.makeTempFile({ prefix: "hubplane-", suffix: ".conf" });
    await Deno.writeTextFile(file, configuration(permissions));
    return new GuardedServer(await startNats({ args: ["--config", file] }), file);
  }

  async permit(permissions: string): Promise<void> {
    await Deno.writeTextFile(this.#file, configuration(permissions));
    if (this.process.running) Deno.kill(this.process.pid, "SIGHUP");
  }

  open(options: NatsBackplaneOptions = {}): NatsBackplane {
    return new NatsBackplane(`nats://ann:secret@127.0.0.1:${this.process.port}`, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
    await Deno.remove(this.#file);
  }
}

function configuration(permissions: string): string {
  return `authorization { users = [{ user: ann, password: secret, permissions: ${permissions} }] }\n`;
}

Deno.test("subscribe() rejects when the server does not permit it, and only then", async () => {
  await using server = await GuardedServer.start(`{ publish: ">", subscribe: "may.>" }`);
  await using allowed = server.open({ prefix: "may" });
  await using refused = server.open({ prefix: "not" });
  const inbox = new Inbox();
  // Asked for before and after the connection is open, together and alone.
  for (let time = 0; time < 2; time++) {
    await bounded(allowed.subscribe("a", inbox.receive).confirmed);
    for (const channels of [["a"], ["b", "c", "d e"]]) {
      for (
        const waiting of channels.map((channel) => refused.subscribe(channel, () => {}).confirmed)
      ) {
        const error = await assertRejects(() => bounded(waiting), BackplaneError, "refused it");
        assertMatch(error.message, /Cannot subscribe to "not\.\S+"/);
        assertMatch(String(error.cause), /Permissions Violation for Subscription/);
      }
    }
  }
  assertEquals([allowed.status, refused.status], ["open", "open"]);
});

Deno.test("subscribe() of permitted channels is not hurt by refused ones asked for with them", async () => {
  await using server = await GuardedServer.start(`{ publish: ">", subscribe: ["p.a", "p.b"] }`);
  await using backplane = server.open({ prefix: "p" });
  await using publisher = server.open({ prefix: "p" });
  const inbox = new Inbox();
  for (let time = 0; time < 2; time++) {
    const settled = await bounded(Promise.allSettled(
      ["a", "x", "b", "y"].map((channel) => backplane.subscribe(channel, inbox.receive).confirmed),
    ));
    assertEquals(settled.map(({ status }) => status), [
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
    ]);
  }
  await untilStatus(publisher, "open");
  await publisher.publish("a", bytes("a"));
  await publisher.publish("b", bytes("b"));
  await inbox.count(4);
  assertEquals(inbox.all, ["a", "a", "b", "b"]);
});

Deno.test("publish() rejects when the server does not permit it, and only then", async () => {
  await using server = await GuardedServer.start(`{ publish: ["p.a", "p.b"], subscribe: ">" }`);
  await using backplane = server.open({ prefix: "p" });
  await untilStatus(backplane, "open");
  const publish = (channel: string) => backplane.publish(channel, bytes(channel));
  const error = await assertRejects(
    () => publish("x"),
    BackplaneError,
    `"p.x": NATS does not permit`,
  );
  assertMatch(String(error.cause), /Permissions Violation for Publish to "p\.x"/);
  const settled = await bounded(Promise.allSettled(["a", "x", "b", "x", "a", "y z"].map(publish)));
  assertEquals(settled.map(({ status }) => status), [
    ...["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled", "rejected"],
  ]);
  const many = Array.from({ length: 200 }, (_, number) => number % 3 === 0 ? "x" : "a");
  for (const channel of many) {
    const [{ status }] = await Promise.allSettled([publish(channel)]);
    assertEquals(status, channel === "x" ? "rejected" : "fulfilled");
  }
});

Deno.test("NatsBackplane goes on without a channel whose permission is taken away, and reports a gap when it is back", async () => {
  await using server = await GuardedServer.start(`{ publish: ">", subscribe: ">" }`);
  const logged: unknown[][] = [];
  const logger = {
    // The outage of the connection is logged, too.
    error: (...all: unknown[]) => {
      if (!/trying again$/.test(String(all[0]))) logged.push(all);
    },
    warn() {},
  };
  await using backplane = server.open({ prefix: "p", probeInterval: 200, logger });
  const [lost, kept] = [new Inbox(), new Inbox()];
  await bounded(backplane.subscribe("a", lost.receive).confirmed);
  await bounded(backplane.subscribe("b", kept.receive).confirmed);
  const told = nextEvent(
    backplane,
    ({ status, error }) =>
      status === "reconnecting" && /Permissions Violation/.test(error?.message ?? ""),
  );
  const reopened = nextEvent(backplane, ({ status }) => status === "open");
  await server.permit(`{ publish: ">", subscribe: "p.b" }`);
  await told;
  const { gap: outage } = await reopened;
  assertMatch(String(logged[0]), /Cannot subscribe to "p\.a": the bus refused it/);
  assertEquals(logged.length, 1);
  await bounded(backplane.publish("b", bytes("own")));
  const back = nextEvent(backplane, ({ gap }) => gap !== undefined);
  await server.permit(`{ publish: ">", subscribe: ">" }`);
  const { status, gap } = await back;
  assertEquals(status, "open");
  // Nothing lies between the two gaps.
  assert(outage !== undefined && gap !== undefined && gap.since <= outage.until);
  await using other = server.open({ prefix: "p" });
  await untilStatus(other, "open");
  for (const channel of ["a", "b"]) await bounded(other.publish(channel, bytes("back")));
  await Promise.all([lost.count(1), kept.count(1)]);
  assertEquals(logged.length, 1);
});

Deno.test("NatsBackplane reports the gap of a channel that is permitted after an outage when it is back", async () => {
  await using server = await GuardedServer.start(`{ publish: ">", subscribe: "p.b" }`);
  await using backplane = server.open({ prefix: "p", logger: new KeptLog() });
  await assertRejects(() => bounded(backplane.subscribe("a", () => {}).confirmed), BackplaneError);
  const refused = Date.now();
  await bounded(backplane.subscribe("b", () => {}).confirmed);
  const events: BackplaneStatusEvent[] = [];
  backplane.onStatus((event) => events.push(event));
  const away = nextEvent(backplane, ({ status }) => status === "reconnecting");
  await server.process.stop();
  await away;
  await server.permit(`{ publish: ">", subscribe: ">" }`);
  const back = nextEvent(backplane, ({ status }) => status === "open");
  await server.process.start();
  await back;
  const gaps = events.filter(({ gap }) => gap !== undefined);
  assertEquals(gaps.map(({ status }) => status), ["open"]);
  // The gap also covers the time in which the channel was refused.
  assert((gaps[0]?.gap?.since ?? Infinity) <= refused);
});
