import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { defineHub, type HubAccess, type HubContext } from "../../../mod.ts";
import { method } from "../../../hub/definition/method.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { bounded } from "../../kit/wait.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";
import { type Account, admin, ANN, BOB } from "../../kit/accounts.ts";

type Context = HubContext<Record<never, never>, Account>;
type Access = HubAccess<Account>;

const accounts: Readonly<Record<string, Account>> = { ann: ANN, bob: BOB };

/** Who a request says it is. */
function authenticate(request: Request): Account | undefined {
  return accounts[new URL(request.url).searchParams.get("user") ?? ""];
}

onEachServer(
  "authorize refuses strangers with 401 and others with 403, before there is a connection",
  async (serve) => {
    const connected: unknown[] = [];
    const hub = defineHub({
      methods: { hello: () => "hello" },
      connected: ({ user }: Context) => connected.push(user?.id),
      authorize: ({ user }: Access, method) => method !== undefined || user?.admin === true,
    });
    await using node = await serve({
      hubs: { "/admins": hub, "/open": defineHub({ methods: {} }) },
      authenticate,
    });
    const ask = async (path: string, method = "GET", headers: Record<string, string> = {}) => {
      const response = await fetch(node.url(path), { method, headers });
      return [response.status, await response.text()];
    };
    for (const [query, status] of [["", 401], ["user=bob", 403]] as const) {
      const refused = [status, ""];
      assertEquals(await ask(`/admins/negotiate?negotiateVersion=1&${query}`, "POST"), refused);
      for (const method of ["GET", "POST", "DELETE"]) {
        assertEquals(await ask(`/admins?id=x&${query}`, method), refused, method);
      }
      const events = { accept: "text/event-stream" };
      assertEquals(await ask(`/admins?id=x&${query}`, "GET", events), refused);
      const direct = SignalRClient.make(node.url(`/admins?${query}`), { skipNegotiation: true });
      await assertRejects(() => bounded(direct.connection.start()), Error, "WebSocket failed");
      const { connection } = SignalRClient.make(node.url(`/admins?${query}`));
      const { message } = await assertRejects(() => bounded(connection.start()), Error);
      assertMatch(message, new RegExp(`Status code '${status}'$`));
    }
    assertEquals(connected, []);
    // Another hub of the same server is open to all.
    assertEquals((await ask("/open/negotiate", "POST"))[0], 200);
    for (const transport of Object.values(TRANSPORTS)) {
      await using ann = await SignalRClient.connect(node.url("/admins?user=ann"), { transport });
      assertEquals(await ann.invoke("hello"), "hello");
    }
    assertEquals(connected, ["ann", "ann", "ann"]);
  },
).forEach((test) => Deno.test(test));

onEachServer(
  "authorize that throws for somebody who connects is logged and refuses",
  async (serve) => {
    await using node = await serve({
      hubs: { "/hub": defineHub({ methods: {} }) },
      authenticate,
      authorize: ({ user }: Access) => {
        if (user !== undefined) return Promise.reject(new Error("no database"));
        throw new Error("no user");
      },
    });
    for (const [query, status] of [["", 401], ["?user=ann", 403]] as const) {
      const response = await fetch(node.url(`/hub/negotiate${query}`), { method: "POST" });
      assertEquals([response.status, await response.text()], [status, ""]);
    }
    assertEquals(node.log.lines, [
      "error authorize failed: Error: no user",
      "error authorize failed: Error: no database",
    ]);
  },
).forEach((test) => Deno.test(test));

onEachServer("a page of another origin reads that it was refused", async (serve) => {
  await using node = await serve({
    hubs: { "/hub": defineHub({ methods: {} }) },
    cors: { origins: ["https://app.example"] },
    authorize: () => false,
  });
  const headers = { origin: "https://app.example" };
  const response = await fetch(node.url("/hub/negotiate"), { method: "POST", headers });
  assertEquals([response.status, await response.text()], [401, ""]);
  assertEquals(response.headers.get("access-control-allow-origin"), "https://app.example");
}).forEach((test) => Deno.test(test));

onEachServer("the client reads that a call was refused, in upstream's words", async (serve) => {
  await using node = await serve({
    hubs: {
      "/hub": defineHub({
        methods: {
          Reset: method({
            authorize: (context: Context) => Promise.resolve(admin(context)),
            handler: (_context: Context) => "done",
          }),
        },
      }),
    },
    authenticate,
  });
  for (const transport of Object.values(TRANSPORTS)) {
    await using ann = await SignalRClient.connect(node.url("/hub?user=ann"), { transport });
    await using bob = await SignalRClient.connect(node.url("/hub?user=bob"), { transport });
    assertEquals(await ann.invoke("reset"), "done");
    const { message } = await assertRejects(() => bob.invoke("reset"), Error);
    assertEquals(message, "Failed to invoke 'reset' because user is unauthorized");
  }
}).forEach((test) => Deno.test(test));
