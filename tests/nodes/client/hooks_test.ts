import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { defineHub, type HubContext, HubError, type HubUser } from "../../../mod.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded, Events } from "../../kit/wait.ts";

interface Account extends HubUser {
  readonly admin: boolean;
}

type Context = HubContext<{ got(...values: unknown[]): void }, Account>;

const ACCOUNTS: Readonly<Record<string, Account>> = {
  "token of ann": { id: "ann", admin: true },
  "token of bob": { id: "bob", admin: false },
  "token of nobody": { id: "", admin: true },
};

/** As the upstream documentation has it: the header first, then the query. */
function authenticate(request: Request): Account | Response {
  const [, bearer] = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  const token = bearer ?? new URL(request.url).searchParams.get("access_token") ?? "";
  return ACCOUNTS[token] ?? new Response(null, { status: 401 });
}

const accountHub = defineHub({
  methods: {
    whoami: ({ user }: Context) => user === undefined ? null : [user.id, user.admin],
    async tell({ clients }: Context, id: string) {
      await clients.user(id).send("got", `for ${id}`);
    },
  },
});

onEachServer(
  "authenticate sees the client's token in the header or in the query",
  async (serve) => {
    await using node = await serve({ hubs: { "/hub": accountHub }, authenticate });
    const url = node.url("/hub");
    await using ann = await SignalRClient.connect(url, { token: "token of ann" });
    await using direct = await SignalRClient.connect(url, {
      token: "token of bob",
      skipNegotiation: true,
    });
    await using query = await SignalRClient.connect(`${url}?access_token=token%20of%20bob`);
    assertEquals(await ann.invoke("whoami"), ["ann", true]);
    assertEquals(await direct.invoke("whoami"), ["bob", false]);
    assertEquals(await query.invoke("whoami"), ["bob", false]);
    await ann.invoke("tell", "bob");
    assertEquals([await direct.got.next(), await query.got.next()], [["for bob"], ["for bob"]]);
    assertEquals(ann.got.all, []);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "authenticate makes a connection anonymous when the id it gives is empty",
  async (serve) => {
    await using node = await serve({ hubs: { "/hub": accountHub }, authenticate });
    await using client = await SignalRClient.connect(node.url("/hub"), {
      token: "token of nobody",
    });
    assertEquals(await client.invoke("whoami"), null);
    const error = await assertRejects(() => client.invoke("tell", ""), Error);
    assertMatch(error.message, /HubException: Cannot use user id: it is empty/);
  },
).forEach((test) => Deno.test(test));

onEachServer("a refused client is told 401 Unauthorized", async (serve) => {
  await using node = await serve({ hubs: { "/hub": accountHub }, authenticate });
  const refused = async (skipNegotiation: boolean) => {
    const client = SignalRClient.make(node.url("/hub"), { token: "forged", skipNegotiation });
    return (await assertRejects(() => bounded(client.connection.start()), Error)).message;
  };
  assertEquals(
    await refused(false),
    "Failed to complete negotiation with the server: Error: Unauthorized: Status code '401'",
  );
  // A WebSocket does not tell its client why it was refused.
  assertMatch(await refused(true), /^WebSocket failed to connect\./);
}).forEach((test) => Deno.test(test));

onEachServer(
  "connected and disconnected run once each, in order, around a connection's calls",
  async (serve) => {
    const log = new Events<string>();
    const names = new Map<string, string>();
    const hub = defineHub({
      methods: {
        call({ connectionId, items }: Context, text: string) {
          log.add(`${names.get(connectionId)} calls ${text}, ${items.get("greeting")}`);
        },
      },
      async connected({ connectionId, items, clients, request }: Context) {
        const name = new URL(request.url).searchParams.get("name") ?? "";
        names.set(connectionId, name);
        items.set("greeting", `hello ${name}`);
        await clients.caller.send("got", "welcome");
        log.add(`${name} connected`);
      },
      disconnected({ connectionId, items }: Context, error) {
        log.add(`${names.get(connectionId)} disconnected, ${items.size} item, ${error}`);
      },
    });
    await using node = await serve({ hubs: { "/hub": hub } });
    {
      await using one = await SignalRClient.connect(node.url("/hub?name=one"));
      await one.invoke("call", "1");
      await using two = await SignalRClient.connect(node.url("/hub?name=two"));
      await two.invoke("call", "2");
      assertEquals(await one.got.next(), ["welcome"]);
      await two.connection.stop();
      assertEquals(await log.take(5), [
        "one connected",
        "one calls 1, hello one",
        "two connected",
        "two calls 2, hello two",
        "two disconnected, 1 item, undefined",
      ]);
    }
    assertEquals(await log.next(), "one disconnected, 1 item, undefined");
    assertEquals(log.all.length, 6);
  },
).forEach((test) => Deno.test(test));

onEachServer("disconnected hears the error that a hub's client is closed for", async (serve) => {
  const ends = new Events<Error | undefined>();
  const hub = defineHub({ methods: {}, disconnected: (_context, error) => ends.add(error) });
  await using node = await serve({ hubs: { "/hub": hub }, maximumReceiveMessageSize: 100 });
  await using client = await SignalRClient.connect(node.url("/hub"));
  await assertRejects(() => client.invoke("x".repeat(100)), Error);
  assertEquals(await client.events.next(), {
    kind: "closed",
    error: "Server returned an error on close: Connection closed with an error.",
  });
  const error = await ends.next();
  assertEquals(error?.name, "InvalidDataException");
  assertMatch(error?.message ?? "", /maximum message size of 100B/);
}).forEach((test) => Deno.test(test));

onEachServer(
  "a client that connected throws for is closed with the text of a HubError only",
  async (serve) => {
    const hub = defineHub({
      methods: {},
      connected({ request }: Context) {
        const error = new URL(request.url).searchParams.get("error");
        throw error === "hub" ? new HubError("The room is full") : new Error("secret");
      },
    });
    await using node = await serve({ hubs: { "/hub": hub } });
    for (const [error, text] of [["hub", " HubException: The room is full"], ["other", ""]]) {
      await using client = SignalRClient.make(node.url(`/hub?error=${error}`));
      // The end may come before the client has finished its start, or after.
      const end = await client.connection.start().then(
        async () => (await client.events.next() as { error: string }).error,
        (error: Error) => error.message,
      );
      assertEquals(
        end,
        `Server returned an error on close: Connection closed with an error.${text}`,
      );
    }
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "a method sees the request that opened its connection, and its own items",
  async (serve) => {
    const hub = defineHub({
      methods: {
        request: ({ request }: Context) => {
          const { pathname, searchParams } = new URL(request.url);
          return [pathname, searchParams.get("a"), request.headers.get("x-room")];
        },
        count: ({ items }: Context) => {
          items.set("count", Number(items.get("count") ?? 0) + 1);
          return items.get("count");
        },
      },
    });
    await using node = await serve({ hubs: { "/hub": hub } });
    await using client = await SignalRClient.connect(node.url("/hub?a=%C3%A9"), {
      headers: { "x-room": "blue" },
    });
    await using other = await SignalRClient.connect(node.url("/hub"));
    assertEquals(await client.invoke("request"), ["/hub", "é", "blue"]);
    assertEquals([await client.invoke("count"), await client.invoke("count")], [1, 2]);
    assertEquals(await other.invoke("count"), 1);
    assertNotEquals(client.id, other.id);
  },
).forEach((test) => Deno.test(test));
