import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { defineHub, type HubContext, HubError } from "../../mod.ts";
import { RunningNode } from "./running_node.ts";
import { SignalRClient } from "./signalr_client.ts";

type Context = HubContext<{ got(...values: unknown[]): void }>;

const hub = defineHub({
  methods: {
    echo: (_context: Context, value: unknown) => value,
    async later(_context: Context, value: unknown) {
      await Promise.resolve();
      return value;
    },
    add: (_context: Context, a: number, b: number) => a + b,
    id: ({ connectionId }: Context) => connectionId,
    nothing(_context: Context) {},
    bytes: (_context: Context) => ({ raw: new Uint8Array([1, 2, 255]) }),
    date: (_context: Context) => new Date("2026-01-02T03:04:05.678Z"),
    sparse: (_context: Context) => [undefined, { a: undefined, b: 10n }],
    refuse(_context: Context) {
      throw new HubError("The amount must be positive");
    },
    async crash(_context: Context) {
      await Promise.resolve();
      throw new TypeError("secret");
    },
    throwText(_context: Context) {
      throw "a text";
    },
    async send({ clients }: Context, ...values: unknown[]) {
      await clients.caller.send("got", ...values);
    },
  },
});

/** Runs with a node and a client of it. */
async function withClient(
  run: (client: SignalRClient, node: RunningNode<{ "/hub": typeof hub }>) => Promise<void>,
  options: { detailedErrors?: boolean } = {},
): Promise<void> {
  await using node = new RunningNode({ hubs: { "/hub": hub }, ...options });
  await using client = await SignalRClient.connect(node.url("/hub"));
  await run(client, node);
}

Deno.test("an official client connects with and without negotiation", async () => {
  await using node = new RunningNode({ hubs: { "/hub": hub } });
  await using negotiated = await SignalRClient.connect(node.url("/hub"));
  await using direct = await SignalRClient.connect(node.url("/hub"), { skipNegotiation: true });
  assertEquals(await negotiated.invoke("id"), negotiated.id);
  assertEquals(await direct.invoke("echo", "x"), "x");
  // Without negotiation a client does not know its id; the node gives it one all the same.
  assertEquals(direct.connection.connectionId, null);
  assertMatch(String(await direct.invoke("id")), /^[\w-]{22}$/);
  assertNotEquals(await direct.invoke("id"), negotiated.id);
});

Deno.test("invoke() resolves with what the method returns", () =>
  withClient(async (client) => {
    assertEquals(await client.invoke("add", 1, 2), 3);
    assertEquals(await client.invoke("later", "x"), "x");
    assertEquals(await client.invoke("ADD", 1, 2), 3);
    // As upstream: a method without a result gives null.
    assertEquals(await client.invoke("nothing"), null);
  }));

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1.5e-7,
  Number.MAX_SAFE_INTEGER,
  "",
  "é 😀 <>&'\"+\u2028\\/\n\u0001\x1e",
  [],
  {},
  [1, [2, [3, []]]],
  { a: { b: [{ c: null }] }, "": 0, "a b": "c" },
  Array.from({ length: 1000 }, (_, n) => ({ n })),
];

Deno.test("invoke() carries structural values both ways unchanged", () =>
  withClient(async (client) => {
    for (const value of VALUES) assertEquals(await client.invoke("echo", value), value);
  }));

Deno.test("send() carries several structural values to the client unchanged", () =>
  withClient(async (client) => {
    await client.invoke("send", ...VALUES);
    assertEquals(await client.got.next(), [...VALUES]);
    await client.invoke("send");
    assertEquals(await client.got.next(), []);
  }));

Deno.test("results become what JSON has for them: bytes, dates, undefined, bigint", () =>
  withClient(async (client) => {
    assertEquals(await client.invoke("bytes"), { raw: "AQL/" });
    assertEquals(await client.invoke("date"), "2026-01-02T03:04:05.678Z");
    assertEquals(await client.invoke("sparse"), [null, { b: 10 }]);
  }));

/** The text that a client sees of a failed call. */
async function failure(client: SignalRClient, method: string, ...args: unknown[]): Promise<string> {
  const error = await assertRejects(() => client.invoke(method, ...args), Error);
  return error.message;
}

Deno.test("invoke() rejects with a HubError's text and hides that of other errors", () =>
  withClient(async (client, node) => {
    assertEquals(
      await failure(client, "refuse"),
      "An unexpected error occurred invoking 'refuse' on the server. HubException: " +
        "The amount must be positive",
    );
    assertEquals(
      await failure(client, "crash"),
      "An unexpected error occurred invoking 'crash' on the server.",
    );
    assertEquals(
      await failure(client, "throwText"),
      "An unexpected error occurred invoking 'throwText' on the server.",
    );
    assertEquals(
      await failure(client, "add", 1),
      "Failed to invoke 'add' due to an error on the server.",
    );
    assertEquals(
      await failure(client, "nosuch"),
      "Failed to invoke 'nosuch' due to an error on the server. " +
        "HubException: Method does not exist.",
    );
    // The operator sees what the client does not; a HubError is no news.
    assertEquals(node.log.lines.map((line) => line.split(" at ")[0]?.trim()), [
      'error Hub method "crash" failed: TypeError: secret',
      'error Hub method "throwText" failed: Error: a text',
    ]);
    // The connection is as good as before.
    assertEquals(await client.invoke("echo", 1), 1);
  }));

Deno.test("invoke() rejects with the text of every error when detailedErrors is on", () =>
  withClient(async (client) => {
    assertEquals(
      await failure(client, "crash"),
      "An unexpected error occurred invoking 'crash' on the server. TypeError: secret",
    );
    assertEquals(
      await failure(client, "throwText"),
      "An unexpected error occurred invoking 'throwText' on the server. Error: a text",
    );
    assertEquals(
      await failure(client, "add", 1, 2, 3),
      "Failed to invoke 'add' due to an error on the server. InvalidDataException: " +
        "Invocation provides 3 argument(s) but target expects 2.",
    );
  }, { detailedErrors: true }));

Deno.test("a hub is served below basePath", async () => {
  await using node = new RunningNode({ hubs: { "/hub": hub }, basePath: "/base/path" });
  await using client = await SignalRClient.connect(node.url("/base/path/hub"));
  assertEquals(await client.invoke("echo", 1), 1);
  const elsewhere = SignalRClient.make(node.url("/hub"));
  await assertRejects(() => elsewhere.connection.start(), Error, "Status code '404'");
});
