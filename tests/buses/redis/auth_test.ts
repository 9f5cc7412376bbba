import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Redis } from "ioredis";
import {
  BackplaneClosedError,
  BackplaneError,
  BackplaneUnavailableError,
} from "../../../backplanes/errors.ts";
import { RedisBackplane } from "../../../backplanes/redis.ts";
import { startRedis } from "../../kit/servers/redis_server.ts";
import { nextEvent, untilClosed, untilStatus } from "../../kit/wait.ts";

const PASSWORD = "s3cr3t/+ of:ann";
const hello = new TextEncoder().encode("hello");

function startWithPassword() {
  return startRedis({ args: ["--requirepass", PASSWORD] });
}

/** A user who may do what the module's documentation says that a user needs, and nothing else. */
function startWithUser() {
  const rules = "resetchannels &app:* +publish +subscribe +unsubscribe +ping";
  return startRedis({
    args: ["--user", "ann", "on", `>${PASSWORD.replaceAll(" ", "")}`, ...rules.split(" ")],
  });
}

const encoded = encodeURIComponent;

Deno.test("RedisBackplane logs in with the password of its URL", async () => {
  await using server = await startWithPassword();
  await using backplane = new RedisBackplane(
    `redis://:${encoded(PASSWORD)}@127.0.0.1:${server.port}`,
  );
  await backplane.subscribe("news", () => {}).confirmed;
  await untilStatus(backplane, "open");
  assertEquals(await backplane.publish("news", hello), 1);
});

Deno.test("RedisBackplane logs in as an ACL user with few permissions", async () => {
  await using server = await startWithUser();
  await using backplane = new RedisBackplane(`redis://ann@127.0.0.1:${server.port}?prefix=app:`, {
    password: PASSWORD.replaceAll(" ", ""),
  });
  const subscription = backplane.subscribe("news", () => {});
  await subscription.confirmed;
  await untilStatus(backplane, "open");
  assertEquals(await backplane.publish("news", hello), 1);
  await subscription.unsubscribe();
  assertEquals(await backplane.publish("news", hello), 0);
});

Deno.test("publish() and subscribe() reject when Redis forbids the channel", async () => {
  await using server = await startWithUser();
  await using backplane = new RedisBackplane(`redis://ann@127.0.0.1:${server.port}?prefix=other:`, {
    password: PASSWORD.replaceAll(" ", ""),
  });
  await untilStatus(backplane, "open");
  const error = await assertRejects(
    () => backplane.publish("news", hello),
    BackplaneError,
    "NOPERM",
  );
  assert(!(error instanceof BackplaneUnavailableError));
  await assertRejects(
    () => backplane.subscribe("news", () => {}).confirmed,
    BackplaneError,
    '"other:news": the bus refused',
  );
  assertEquals(backplane.status, "open");
});

for (
  const [why, credentials] of [
    ["WRONGPASS", ":wr0ng-p4ss@"],
    ["WRONGPASS", "nobody:wr0ng-p4ss@"],
    ["NOAUTH", ""],
  ] as const
) {
  Deno.test(`RedisBackplane is closed at once with ${why} for redis://${credentials}…`, async () => {
    await using server = await startWithPassword();
    await using backplane = new RedisBackplane(
      `redis://${credentials}127.0.0.1:${server.port}`,
    );
    const waiting = assertRejects(
      () => backplane.subscribe("news", () => {}).confirmed,
      BackplaneClosedError,
    );
    const error = await untilClosed(backplane);
    assertStringIncludes(error.message, why);
    assertStringIncludes(error.message, `127.0.0.1:${server.port}`);
    const rejected = await assertRejects(
      () => backplane.publish("news", hello),
      BackplaneClosedError,
    );
    assertEquals(rejected.cause, error);
    assertEquals((await waiting).cause, error);
    assert(!Deno.inspect(rejected, { depth: 10, showHidden: true }).includes("wr0ng-p4ss"));
  });
}

Deno.test("RedisBackplane that was open keeps trying when its password is refused", async () => {
  await using server = await startRedis();
  await using backplane = new RedisBackplane(`redis://127.0.0.1:${server.port}`);
  await backplane.subscribe("news", () => {}).confirmed;
  await untilStatus(backplane, "open");
  const admin = new Redis(server.port, "127.0.0.1", { lazyConnect: true });
  await admin.connect();
  const refused = nextEvent(backplane, ({ error }) => error?.message.includes("NOAUTH") ?? false);
  await admin.config("SET", "requirepass", PASSWORD);
  await admin.client("KILL", "SKIPME", "yes");
  const { status, error } = await refused;
  assertEquals(status, "reconnecting");
  assertInstanceOf(error, BackplaneError);
  const reopened = nextEvent(backplane, ({ status }) => status === "open");
  await admin.config("SET", "requirepass", "");
  await reopened;
  await admin.quit();
});
