import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { deadline } from "@std/async";
import { BackplaneClosedError } from "../../../backplanes/errors.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { Certificates } from "../../kit/servers/certificates.ts";
import { startRedis } from "../../kit/servers/redis_server.ts";
import { freePort, type ServerProcess } from "../../kit/servers/server_process.ts";
import { untilClosed, untilOpen } from "./until.ts";

interface TlsServer extends AsyncDisposable {
  readonly url: string;
  readonly plain: ServerProcess;
  readonly certificates: Certificates;
}

/** A Redis with a TLS port, that asks its clients for a certificate if `mutual`. */
async function startTls({ mutual = false } = {}): Promise<TlsServer> {
  const certificates = await Certificates.make();
  await certificates.issue("server", "IP:127.0.0.1");
  const port = freePort();
  const plain = await startRedis({
    args: [
      ...["--tls-port", `${port}`, "--tls-auth-clients", mutual ? "yes" : "no"],
      ...["--tls-cert-file", certificates.path("server.pem")],
      ...["--tls-key-file", certificates.path("server.key")],
      ...["--tls-ca-cert-file", certificates.path("authority.pem")],
    ],
  });
  return {
    url: `rediss://127.0.0.1:${port}`,
    plain,
    certificates,
    async [Symbol.asyncDispose]() {
      await plain.stop();
      await certificates[Symbol.asyncDispose]();
    },
  };
}

/**
 * A message comes back. No larger than this: ioredis's parser joins the parts of large ones in a
 * pool for the whole process, and watches that with an interval that outlives every connection
 * (`resizeBuffer` in redis-parser's `parser.js`).
 */
async function works(backplane: RedisBackplane): Promise<void> {
  const heard = Promise.withResolvers<Uint8Array>();
  await backplane.subscribe("news", heard.resolve).confirmed;
  await untilOpen(backplane);
  const payload = crypto.getRandomValues(new Uint8Array(8000));
  assertEquals(await backplane.publish("news", payload), 1);
  assertEquals(await deadline(heard.promise, 5000), payload);
}

Deno.test("RedisBackplane speaks TLS with the authority it is given", async () => {
  await using server = await startTls();
  const ca = await server.certificates.read("authority.pem");
  await using backplane = new RedisBackplane(server.url, { tls: { ca } });
  await works(backplane);
});

Deno.test("RedisBackplane shows its certificate to a Redis that asks for one", async () => {
  await using server = await startTls({ mutual: true });
  const { certificates } = server;
  await certificates.issue("client", "DNS:client");
  const [ca, cert, key] = await Promise.all(
    ["authority.pem", "client.pem", "client.key"].map((file) => certificates.read(file)),
  );
  assert(ca !== undefined && cert !== undefined && key !== undefined);
  await using backplane = new RedisBackplane(server.url, { tls: { ca, cert, key } });
  await works(backplane);
});

Deno.test("RedisBackplane takes any certificate when it is told to", async () => {
  await using server = await startTls();
  await using backplane = new RedisBackplane(server.url, { tls: { rejectUnauthorized: false } });
  await works(backplane);
});

Deno.test("RedisBackplane is closed at once by a certificate of another authority", async () => {
  await using server = await startTls();
  await using others = await Certificates.make();
  const ca = await others.read("authority.pem");
  await using backplane = new RedisBackplane(server.url, { tls: { ca } });
  const error = await untilClosed(backplane);
  assertMatch(error.message, /^Cannot use Redis at 127\.0\.0\.1:\d+: .*certificate/);
  await assertRejects(() => backplane.publish("news", new Uint8Array(1)), BackplaneClosedError);
});

Deno.test("RedisBackplane is closed at once by a certificate for another name", async () => {
  await using server = await startTls();
  const ca = await server.certificates.read("authority.pem");
  await using backplane = new RedisBackplane(server.url, {
    tls: { ca, servername: "other.example" },
  });
  assertMatch((await untilClosed(backplane)).message, /certificate/);
});
