import { assertEquals, assertRejects } from "@std/assert";
import { defineHub, type HubContext, HubError } from "../../../mod.ts";
import { HOSTS } from "../../kit/servers/hosts.ts";
import { RunningNode } from "../../kit/running_node.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";

type Context = HubContext<{ got(...values: unknown[]): void }>;

const hub = defineHub({
  methods: {
    echo: (_context: Context, value: unknown) => value,
    add: (_context: Context, a: number, b: number) => a + b,
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

/** Runs with a node and a client of it, behind each server in turn. */
async function withClient(
  run: (client: SignalRClient, node: RunningNode<{ "/hub": typeof hub }>) => Promise<void>,
  options: { detailedErrors?: boolean } = {},
): Promise<void> {
  for (const host of Object.values(HOSTS)) {
    await using node = await RunningNode.start({ hubs: { "/hub": hub }, ...options }, host);
    await using client = await SignalRClient.connect(node.url("/hub"));
    await run(client, node);
  }
}

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

Deno.test("send() carries several structural values to the client unchanged", () =>
  withClient(async (client) => {
    await client.invoke("send", ...VALUES);
    assertEquals(await client.got.next(), [...VALUES]);
    await client.invoke("send");
    assertEquals(await client.got.next(), []);
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
    const lines = node.log.lines.map((line) =>
      line.split(" at ")[0]?.trim().replace(/connection \S+/, "connection ID")
    );
    const refused = "info A call of connection ID is refused: Failed to invoke";
    assertEquals(lines, [
      'error Hub method "crash" failed: TypeError: secret',
      'error Hub method "throwText" failed: Error: a text',
      `${refused} 'add' due to an error on the server. InvalidDataException: ` +
      "Invocation provides 1 argument(s) but target expects 2.",
      `${refused} 'nosuch' due to an error on the server. HubException: Method does not exist.`,
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
