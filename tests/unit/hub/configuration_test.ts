import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  createHubServer,
  defineHub,
  type HubMethods,
  type Hubs,
  MemoryBackplane,
} from "../../../mod.ts";

const hub = defineHub({ methods: {} });

/** Refused without a trace: no backplane is owned, no timer left. */
async function assertRefused(hubs: unknown, text: string): Promise<void> {
  await using backplane = new MemoryBackplane();
  assertThrows(() => createHubServer({ hubs: hubs as Hubs, backplane }), TypeError, text);
  await createHubServer({ hubs: { "/hub": hub }, backplane }).close();
}

Deno.test("createHubServer() throws TypeError when a path is malformed", async () => {
  for (const path of ["", "hub", "/", "/hub/", "hub/"]) {
    await assertRefused({ [path]: hub }, `Cannot serve hub at "${path}"`);
  }
});

Deno.test("createHubServer() throws TypeError when there are no hubs", async () => {
  for (const hubs of [{}, undefined, null]) {
    await assertRefused(hubs, "Cannot create hub server: hubs is empty");
  }
});

Deno.test("createHubServer() throws TypeError when two paths differ only in case", async () => {
  await assertRefused(
    { "/hub": defineHub({ methods: {} }), "/HUB": defineHub({ methods: {} }) },
    'Cannot serve hub at "/HUB": the path is taken',
  );
});

Deno.test("createHubServer() throws TypeError when two hubs have one name", async () => {
  const named = () => defineHub({ name: "chat", methods: {} });
  await assertRefused({ "/a": named(), "/b": named() }, 'two hubs of one name: "chat"');
  // The default name of one is the given name of the other.
  await assertRefused({ "/chat": hub, "/b": named() }, 'two hubs of one name: "chat"');
});

Deno.test("createHubServer() takes names that differ in case for two hubs", async () => {
  await using _server = createHubServer({
    hubs: {
      "/a": defineHub({ name: "Chat", methods: {} }),
      "/b": defineHub({ name: "chat", methods: {} }),
    },
    backplane: new MemoryBackplane(),
  });
});

Deno.test("createHubServer() serves one hub at two paths as one hub", async () => {
  await using server = createHubServer({
    hubs: { "/a": hub, "/b": hub },
    backplane: new MemoryBackplane(),
  });
  assertStrictEquals(server.hub("/a").clients, server.hub("/b").clients);
});

Deno.test("createHubServer() throws TypeError when the backplane is missing", () => {
  for (const backplane of [undefined, null, {}, "memory:"]) {
    assertThrows(
      () => createHubServer({ hubs: { "/hub": hub }, backplane: backplane as MemoryBackplane }),
      TypeError,
      "Cannot create hub server: backplane is missing",
    );
  }
});

Deno.test("createHubServer() throws TypeError when the backplane belongs to another server", async () => {
  const backplane = new MemoryBackplane();
  const server = createHubServer({ hubs: { "/hub": hub }, backplane });
  const again = () => createHubServer({ hubs: { "/hub": hub }, backplane });
  const text = "Cannot create hub server: the backplane belongs to another server";
  assertEquals(assertThrows(again, TypeError).message, text);
  await server.close();
  assertEquals(assertThrows(again, TypeError).message, text);
});

Deno.test("hub() throws TypeError when no hub has the path", async () => {
  await using server = createHubServer({
    hubs: { "/hub": hub } as Hubs,
    backplane: new MemoryBackplane(),
  });
  for (const path of ["/nosuch", "", "__proto__", "/hub/negotiate"]) {
    assertThrows(() => server.hub(path), TypeError, `Cannot find hub: no path "${path}"`);
  }
});

Deno.test("defineHub() throws TypeError when a name cannot name a hub", () => {
  for (const name of ["", "x".repeat(161), "\ud800", 1 as unknown as string]) {
    assertThrows(() => defineHub({ name, methods: {} }), TypeError, "Cannot use hub name");
  }
  assertEquals(defineHub({ name: "x".repeat(160), methods: {} }).name?.length, 160);
});

Deno.test("defineHub() throws TypeError when methods are none", () => {
  for (const methods of [undefined, null, 1, "x"]) {
    assertThrows(
      () => defineHub({ methods: methods as unknown as HubMethods }),
      TypeError,
      "Cannot define hub: methods is not an object",
    );
  }
  assertThrows(
    () => defineHub({ methods: { say: 1 } as unknown as HubMethods }),
    TypeError,
    'Cannot define hub: method "say": it is not a function, nor an object with a handler',
  );
});

Deno.test("defineHub() throws TypeError when methods differ only in case", () => {
  assertThrows(
    () => defineHub({ methods: { say: () => 1, Say: () => 2 } }),
    TypeError,
    'Cannot define hub: methods "say" and "Say" differ only in case',
  );
});

Deno.test("defineHub() keeps its definition from changing later", () => {
  const connected = () => {};
  const definition = { methods: {}, connected };
  const defined = defineHub(definition);
  Reflect.deleteProperty(definition, "connected");
  assertStrictEquals(defined.connected, connected);
  assertEquals(Object.isFrozen(defined), true);
});
