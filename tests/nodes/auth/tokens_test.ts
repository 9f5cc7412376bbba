import { assert, assertEquals } from "@std/assert";
import { defineHub, type HubContext, type HubUser } from "../../../mod.ts";
import { SignalRClient } from "../../kit/signalr_client.ts";
import { onEachServer } from "../../kit/servers/each_server.ts";
import { TRANSPORTS } from "../../kit/transport_names.ts";

type Context = HubContext<Record<never, never>>;

const hub = defineHub({ methods: { whoami: ({ user }: Context) => user?.id } });

/** A request and where its token was. */
interface Seen {
  readonly method: string;
  readonly negotiating: boolean;
  readonly header: string | null;
  readonly query: string | null;
}

/** Recognises one token, in the header or else in the query, and notes where it was. */
function authenticator(seen: Seen[]) {
  return ({ method, url, headers }: Request): HubUser | Response => {
    const { pathname, searchParams } = new URL(url);
    const header = headers.get("authorization");
    const query = searchParams.get("access_token");
    seen.push({ method, negotiating: pathname.endsWith("/negotiate"), header, query });
    const token = header?.replace(/^Bearer /, "") ?? query;
    return token === "t&+ ü" || token === "plain"
      ? { id: "ann" }
      : new Response(null, { status: 401 });
  };
}

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  onEachServer(`authenticate sees the client's token in every request (${name})`, async (serve) => {
    const seen: Seen[] = [];
    await using node = await serve({ hubs: { "/hub": hub }, authenticate: authenticator(seen) });
    {
      await using client = await SignalRClient.connect(node.url("/hub"), {
        transport,
        token: "plain",
      });
      assertEquals(await client.invoke("whoami"), "ann");
    }
    assertEquals(seen.filter(({ negotiating }) => negotiating).length, 1);
    assert(seen.length >= (name === "WebSockets" ? 2 : 4));
    for (const { method, negotiating, header, query } of seen) {
      // An event source has no headers, so its token is in the query.
      const inQuery = name === "ServerSentEvents" && method === "GET" && !negotiating;
      assertEquals([header, query], inQuery ? [null, "plain"] : ["Bearer plain", null]);
    }
  }).forEach((test) => Deno.test(test));

  onEachServer(`authenticate sees a token in the URL in every request (${name})`, async (serve) => {
    const seen: Seen[] = [];
    await using node = await serve({ hubs: { "/hub": hub }, authenticate: authenticator(seen) });
    const url = node.url(`/hub?access_token=${encodeURIComponent("t&+ ü")}`);
    {
      await using client = await SignalRClient.connect(url, { transport });
      assertEquals(await client.invoke("whoami"), "ann");
    }
    assert(seen.length >= (name === "WebSockets" ? 2 : 4));
    for (const { header, query } of seen) assertEquals([header, query], [null, "t&+ ü"]);
  }).forEach((test) => Deno.test(test));
}
