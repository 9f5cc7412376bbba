import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { BackplaneError } from "../../../backplanes/errors.ts";
import { NatsBackplane, type NatsBackplaneOptions } from "../../../backplanes/nats.ts";
import { startNats } from "../../kit/servers/nats_server.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import { bounded, bytes, Inbox, nextEvent, untilStatus } from "../../kit/wait_for.ts";

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
    Deno.kill(this.process.pid, "SIGHUP");
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
    await bounded(allowed.subscribe("a", inbox.receive));
    for (const channels of [["a"], ["b", "c", "d e"]]) {
      for (const waiting of channels.map((channel) => refused.subscribe(channel, () => {}))) {
        const error = await assertRejects(() => bounded(waiting), BackplaneError, "refused it");
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
      ["a", "x", "b", "y"].map((channel) => backplane.subscribe(channel, inbox.receive)),
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
  assertEquals(inbox.texts, ["a", "a", "b", "b"]);
});

Deno.test("publish() rejects when the server does not permit it, and only then", async () => {
  await using server = await GuardedServer.start(`{ publish: ["p.a", "p.b"], subscribe: ">" }`);
  await using backplane = server.open({ prefix: "p" });
  await untilStatus(backplane, "open");
  const publish = (channel: string) => backplane.publish(channel, bytes(channel));
  const error = await assertRejects(() => publish("x"), BackplaneError, "does not permit");
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

Deno.test("NatsBackplane tells of a permission that is taken away, and goes on when it is back", async () => {
  await using server = await GuardedServer.start(`{ publish: ">", subscribe: ">" }`);
  await using backplane = server.open({ prefix: "p", probeInterval: 200 });
  await using publisher = server.open({ prefix: "q" });
  const inbox = new Inbox();
  await bounded(backplane.subscribe("a", inbox.receive));
  const told = nextEvent(
    backplane,
    ({ status, error }) =>
      status === "reconnecting" && /Permissions Violation/.test(error?.message ?? ""),
  );
  await server.permit(`{ publish: ">", subscribe: "other.>" }`);
  await told;
  const back = nextEvent(backplane, ({ gap }) => gap !== undefined);
  await server.permit(`{ publish: ">", subscribe: ">" }`);
  await back;
  await using other = server.open({ prefix: "p" });
  await untilStatus(other, "open");
  await bounded(other.publish("a", bytes("back")));
  await inbox.count(1);
  await publisher.close();
});
