import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { BackplaneClosedError } from "../../../backplanes/errors.ts";
import { NatsBackplane, type NatsBackplaneOptions } from "../../../backplanes/nats.ts";
import { startNats } from "../../kit/servers/nats_server.ts";
import type { ServerProcess } from "../../kit/servers/server_process.ts";
import { Certificates } from "../../kit/servers/certificates.ts";
import { bounded, bytes, Inbox, nextEvent, randomPrefix, untilStatus } from "../../kit/wait.ts";

/** Two backplanes opened this way understand each other. */
async function assertWorks(url: string, options: NatsBackplaneOptions = {}): Promise<void> {
  const prefix = randomPrefix("");
  await using publisher = new NatsBackplane(url, { ...options, prefix });
  await using subscriber = new NatsBackplane(url, { ...options, prefix });
  const inbox = new Inbox();
  await bounded(subscriber.subscribe("a", inbox.receive).confirmed);
  await untilStatus(publisher, "open");
  await bounded(publisher.publish("a", bytes("hello")));
  await inbox.count(1);
}

/** A backplane opened this way is closed with a clear error, at once, and so is all that is asked of it. */
async function assertRefused(url: string, options: NatsBackplaneOptions, why: RegExp) {
  await using backplane = new NatsBackplane(url, options);
  const waiting = assertRejects(
    () => backplane.subscribe("a", () => {}).confirmed,
    BackplaneClosedError,
  );
  const began = performance.now();
  const { error } = await nextEvent(backplane, ({ status }) => status === "closed");
  assert(performance.now() - began < 2000, "not at once");
  assertMatch(error?.message ?? "", why);
  const rejection = await bounded(waiting);
  assertEquals(rejection.cause, error);
  assertEquals(
    (await assertRejects(() => backplane.publish("a", bytes("")), BackplaneClosedError)).cause,
    error,
  );
}

function at(server: ServerProcess, userInfo = ""): string {
  return `nats://${userInfo}127.0.0.1:${server.port}`;
}

Deno.test("NatsBackplane logs in with user and password from the URL or the options", async () => {
  await using server = await startNats({ args: ["--user", "ann", "--pass", "s3:cr@t/"] });
  await assertWorks(at(server, "ann:s3%3Acr%40t%2F@"));
  await assertWorks(at(server, "ann:wrong@"), { password: "s3:cr@t/" });
  await assertWorks(at(server), { user: "ann", password: "s3:cr@t/" });
});

Deno.test("NatsBackplane logs in with a token from the URL or the options", async () => {
  await using server = await startNats({ args: ["--auth", "t0k:en@"] });
  await assertWorks(at(server, "t0k%3Aen%40@"));
  await assertWorks(at(server, "user:password@"), { token: "t0k:en@" });
});

// Many times over: the server closes so fast that its last words and a reset come together.
Deno.test("NatsBackplane is closed at once with a clear error when its password is wrong", async () => {
  await using server = await startNats({ args: ["--user", "ann", "--pass", "secret"] });
  for (let time = 0; time < 30; time++) {
    await assertRefused(at(server, "ann:wrong@"), {}, /Cannot reach NATS at .*Authorization/);
  }
  await assertRefused(at(server), {}, /Authorization/);
});

Deno.test("NatsBackplane keeps trying when its password is refused after it was open", async () => {
  await using server = await startNats({ args: ["--user", "ann", "--pass", "secret"] });
  await using backplane = new NatsBackplane(at(server, "ann:secret@"));
  await untilStatus(backplane, "open");
  const refused = nextEvent(backplane, ({ error }) => /Authorization/.test(error?.message ?? ""));
  await server.stop();
  await using other = await startNats({
    port: server.port,
    args: ["--user", "ann", "--pass", "changed"],
  });
  assertEquals((await refused).status, "reconnecting");
  await other.stop();
  const open = untilStatus(backplane, "open");
  await server.start();
  await open;
});

Deno.test("NatsBackplane speaks TLS to a server that demands it, by address and by name", async () => {
  await using certificates = await Certificates.make();
  await certificates.issue("server", "IP:127.0.0.1,DNS:localhost");
  await using server = await startNats({
    args: tlsArguments(certificates),
  });
  const ca = await certificates.read("authority.pem");
  await assertWorks(`tls://127.0.0.1:${server.port}`, { tls: { ca } });
  await assertWorks(`nats://localhost:${server.port}`, { tls: { ca } });
});

Deno.test("NatsBackplane shows its own certificate to a server that asks for one", async () => {
  await using certificates = await Certificates.make();
  await certificates.issue("server", "IP:127.0.0.1");
  await certificates.issue("client", "DNS:client");
  await using server = await startNats({
    args: [...tlsArguments(certificates), "--tlsverify", "--tlscacert"]
      .concat(certificates.path("authority.pem")),
  });
  const ca = await certificates.read("authority.pem");
  const [cert, key] = [
    await certificates.read("client.pem"),
    await certificates.read("client.key"),
  ];
  await assertWorks(`tls://127.0.0.1:${server.port}`, { tls: { ca, cert, key } });
  await assertRefused(`tls://127.0.0.1:${server.port}`, { tls: { ca } }, /[Cc]ertificate/);
});

Deno.test("NatsBackplane is closed at once when it cannot trust the server's certificate", async () => {
  await using certificates = await Certificates.make();
  await certificates.issue("server", "DNS:localhost");
  await using server = await startNats({ args: tlsArguments(certificates) });
  const ca = await certificates.read("authority.pem");
  await assertWorks(`tls://localhost:${server.port}`, { tls: { ca } });
  await assertRefused(`tls://localhost:${server.port}`, {}, /certificate/);
  // The certificate names localhost only.
  await assertRefused(`tls://127.0.0.1:${server.port}`, { tls: { ca } }, /127\.0\.0\.1 is not in/);
});

Deno.test("NatsBackplane is closed at once when it wants TLS and the server has none", async () => {
  await using server = await startNats();
  await assertRefused(`tls://127.0.0.1:${server.port}`, {}, /the server has no TLS/);
});

Deno.test("NatsBackplane never shows its password", async () => {
  await using server = await startNats({ args: ["--user", "ann", "--pass", "secret"] });
  await using backplane = new NatsBackplane(at(server, "ann:s3cret@"));
  const { error } = await nextEvent(backplane, ({ status }) => status === "closed");
  assertInstanceOf(error, Error);
  const shown = Deno.inspect([error, backplane], { depth: 10 }) + JSON.stringify(error);
  assert(!shown.includes("s3cret"), shown);
});

function tlsArguments(certificates: Certificates): string[] {
  const [cert, key] = [certificates.path("server.pem"), certificates.path("server.key")];
  return ["--tls", "--tlscert", cert, "--tlskey", key];
}
