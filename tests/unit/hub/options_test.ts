import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  createHubServer,
  defineHub,
  type HubServerOptions,
  MemoryBackplane,
} from "../../../mod.ts";
import {
  type BackplaneOptions,
  resolveBackplaneOptions,
} from "../../../backplanes/driver/options.ts";
import { resolveOptions } from "../../../hub/options/server.ts";

const MOST = 2_147_483_647;

/** Every number of a server, with its range and default as documented. */
const SERVER_NUMBERS: Readonly<
  Partial<Record<keyof HubServerOptions, readonly [least: number, most: number, otherwise: number]>>
> = {
  handshakeTimeout: [1, MOST, 15_000],
  keepAliveInterval: [1, MOST, 15_000],
  clientTimeoutInterval: [1, MOST, 30_000],
  disconnectTimeout: [1, MOST, 15_000],
  maximumReceiveMessageSize: [1, MOST, 32_768],
  maximumQueuedReceiveBytes: [1, MOST, 1_048_576],
  maximumSendMessageSize: [1024, MOST, 16_777_216],
  maximumBufferedBytes: [1, MOST, 1_048_576],
  statefulReconnectBufferSize: [1, MOST, 100_000],
  maximumParallelInvocationsPerClient: [1, 1_000_000, 1],
  maximumBackgroundInvocationsPerClient: [1, 1_000_000, 1000],
  streamBufferCapacity: [1, 1_000_000, 10],
  maximumNameBytes: [1, 800, 256],
  groupAckTimeout: [1, MOST, 5000],
  clientResultTimeout: [1, MOST, 30_000],
  unsubscribeDelay: [0, MOST, 1000],
  maximumPostsPerConnection: [1, 1_000_000, 100],
};

const hub = defineHub({ methods: {} });

/** Values outside a range, and of the wrong kind. */
function wrongValues(least: number, most: number): unknown[] {
  return [least - 1, most + 1, least + 0.5, NaN, Infinity, -Infinity, `${least}`, true, {}];
}

Deno.test("createHubServer() throws RangeError naming the option, its value and its range", async () => {
  await using backplane = new MemoryBackplane();
  for (const [name, [least, most]] of Object.entries(SERVER_NUMBERS)) {
    for (const value of wrongValues(least, most)) {
      const error = assertThrows(
        () => createHubServer({ hubs: { "/hub": hub }, backplane, [name]: value }),
        RangeError,
      );
      assertEquals(
        error.message,
        `Cannot use ${name}: ${value} is not an integer between ${least} and ${most}`,
      );
    }
  }
  // A server that was refused does not own the backplane.
  await createHubServer({ hubs: { "/hub": hub }, backplane }).close();
});

Deno.test("createHubServer() accepts both ends of every range", async () => {
  for (const [name, [least, most]] of Object.entries(SERVER_NUMBERS)) {
    for (const value of [least, most]) {
      const backplane = new MemoryBackplane();
      await using _server = createHubServer({ hubs: { "/hub": hub }, backplane, [name]: value });
    }
  }
});

Deno.test("resolveOptions() fills in the documented defaults, for undefined as well", () => {
  const defaults = Object.fromEntries(
    Object.entries(SERVER_NUMBERS).map(([name, [, , otherwise]]) => [name, otherwise]),
  );
  const rest = { basePath: "", detailedErrors: false };
  const undefinedEach = Object.fromEntries(
    [...Object.keys(defaults), ...Object.keys(rest), "logger"].map((name) => [name, undefined]),
  );
  for (const given of [{}, undefinedEach]) {
    const resolved: object = resolveOptions(given as HubServerOptions);
    for (const [name, otherwise] of Object.entries({ ...defaults, ...rest })) {
      assertEquals(Reflect.get(resolved, name), otherwise, name);
    }
    const { logger } = resolveOptions(given as HubServerOptions);
    const { error, debug } = console;
    assertEquals([logger.error === error, logger.debug === debug], [true, false]);
  }
  assertEquals(resolveOptions({ maximumReceiveMessageSize: null }).maximumReceiveMessageSize, null);
});

Deno.test("createHubServer() throws TypeError when basePath is malformed", async () => {
  await using backplane = new MemoryBackplane();
  for (const basePath of ["base", "/", "/base/", "base/"]) {
    assertThrows(
      () => createHubServer({ hubs: { "/hub": hub }, backplane, basePath }),
      TypeError,
      `Cannot use basePath: "${basePath}"`,
    );
  }
});

Deno.test("createHubServer() throws TypeError when a path of health is malformed", async () => {
  await using backplane = new MemoryBackplane();
  const refused = (health: unknown, text: string) => {
    const options = { health } as HubServerOptions;
    const serve = () => createHubServer({ hubs: { "/hub": hub }, backplane, ...options });
    assertEquals(assertThrows(serve, TypeError).message, `Cannot use health${text}`);
  };
  const malformed = [
    ...["", "healthz", "http://localhost/healthz", "/healthz?full=1", "/healthz#", "/a b", "/é"],
    ...["/a/../healthz", "/\\healthz", "//\ud800", 1, true, null, ["/healthz"]],
  ];
  for (const path of malformed) {
    for (const name of ["live", "ready"]) {
      const text = `.${name}: ${JSON.stringify(path)} is not a path such as "/healthz"`;
      refused({ live: "/other", [name]: path }, text);
    }
  }
  refused({ live: "/healthz", ready: "/healthz" }, ': live and ready are both "/healthz"');
  for (const health of ["/healthz", true, null]) refused(health, ": it is not an object");
  // A server that was refused does not own the backplane.
  await createHubServer({ hubs: { "/hub": hub }, backplane, health: { live: "/" } }).close();
});

Deno.test("createHubServer() throws TypeError when a path of health belongs to a hub", async () => {
  await using backplane = new MemoryBackplane();
  const hubs = { "/chat": hub, "/Größe": defineHub({ methods: {} }) };
  const refused = (name: "live" | "ready", path: string, basePath = "") => {
    const serve = () => createHubServer({ hubs, backplane, basePath, health: { [name]: path } });
    const text = `${JSON.stringify(path)} is the path of a hub or lies below it`;
    assertEquals(assertThrows(serve, TypeError).message, `Cannot use health.${name}: ${text}`);
  };
  for (const path of ["/chat", "/CHAT", "/chat/", "/chat/negotiate", "/Chat/healthz"]) {
    refused("live", path);
    refused("ready", `/app${path}`, "/App");
  }
  refused("live", "/gr%C3%B6%C3%9Fe/healthz");
  for (const path of ["/chats", "/cha", "/", "/app", "/app/healthz", "/healthz/chat"]) {
    const options = { basePath: "/app", health: { live: path } };
    await createHubServer({ hubs, backplane: new MemoryBackplane(), ...options }).close();
  }
  // Below another path than the one that is served.
  const options = { basePath: "/app", health: { live: "/chat" } };
  await createHubServer({ hubs, backplane, ...options }).close();
});

Deno.test("drain() rejects with RangeError naming the option, its value and its range", async () => {
  await using server = createHubServer({ hubs: { "/hub": hub }, backplane: new MemoryBackplane() });
  for (
    const [name, [least, most]] of Object.entries(
      {
        timeout: [0, MOST],
        streamTimeout: [0, MOST],
        batch: [1, MOST],
        interval: [0, MOST],
      } as const,
    )
  ) {
    for (const value of wrongValues(least, most)) {
      const error = await assertRejects(() => server.drain({ [name]: value }), RangeError);
      assertEquals(
        error.message,
        `Cannot use ${name}: ${value} is not an integer between ${least} and ${most}`,
      );
    }
  }
  // None of these has begun a drain.
  const request = new Request("http://localhost/hub/negotiate?negotiateVersion=1", {
    method: "POST",
  });
  assertEquals((await server.fetch(request)).status, 200);
});

Deno.test("resolveBackplaneOptions() throws RangeError naming the option, its value and its range", () => {
  const ranges: Readonly<Record<keyof Omit<BackplaneOptions, "logger">, readonly number[]>> = {
    publishTimeout: [1, 600_000, 5000],
    probeInterval: [10, 60_000, 1000],
    probeTimeout: [10, 600_000, 2000],
  };
  const defaults: object = resolveBackplaneOptions();
  for (const [name, [least = 0, most = 0, otherwise]] of Object.entries(ranges)) {
    assertEquals(Reflect.get(defaults, name), otherwise);
    for (const value of [least, most]) resolveBackplaneOptions({ [name]: value });
    for (const value of [least - 1, most + 1, NaN, Infinity, `${least}`]) {
      const error = assertThrows(
        () => resolveBackplaneOptions({ [name]: value } as BackplaneOptions),
        RangeError,
      );
      assertEquals(
        error.message,
        `Cannot use ${name}: ${value} is not between ${least} and ${most} ms`,
      );
    }
  }
});
