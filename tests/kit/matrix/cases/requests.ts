import { assertEquals, assertRejects } from "@std/assert";
import type { SeenRequest } from "../journal.ts";
import type { SignalRClient } from "../../signalr_client.ts";
import { type Case, RECONNECT_DELAYS, type TransportName, type World } from "../world.ts";

const ALL: readonly TransportName[] = ["WebSockets", "ServerSentEvents", "LongPolling"];

/** The request that opens each transport. */
const OPENING = { WebSockets: "websocket", ServerSentEvents: "events", LongPolling: "poll" };

/** What the server saw of the case's clients: the first request of each kind. */
async function seen(world: World, client: SignalRClient): Promise<Record<string, SeenRequest>> {
  const requests = await client.invoke("requests", world.tag) as SeenRequest[];
  return Object.fromEntries(requests.toReversed().map((request) => [request.kind, request]));
}

/** Who the server takes a client for. */
async function userOf(client: SignalRClient): Promise<string | null> {
  const { user } = await client.invoke("whoami") as { user: string | null };
  return user;
}

/** Whether the request that opens the transport is one to which a page can add headers. */
function pageSetsHeaders({ place }: World): boolean {
  return place.runtime === "deno" || place.transport === "LongPolling";
}

const headers: Case = {
  name: "headers go with every request that can have them",
  async run(world) {
    const client = await world.connect({ headers: { "x-mine": "yes" }, query: { room: "é b" } });
    const opening = pageSetsHeaders(world) ? "yes" : null;
    const { transport } = world.place;
    const { id } = client;
    const expected = { id, user: null, room: "é b", mine: opening };
    assertEquals(structuredClone(await client.invoke("whoami")), expected);
    const requests = await seen(world, client);
    assertEquals(requests["negotiate"]?.mine, "yes");
    assertEquals(requests[OPENING[transport]]?.mine, opening);
    assertEquals(requests["POST"]?.mine, transport === "WebSockets" ? undefined : "yes");
  },
};

const cookies: Case = {
  name: "a cookie that negotiate sets goes with every request that follows",
  async run(world) {
    // Pages have one jar for all their connections.
    const cookie = `c${world.tag.slice(0, 8)}=crumb`;
    const moved = world.url({ tag: world.tag });
    const client = await world.connect({ query: { moved, cookie: `${cookie}; Path=/` } });
    const has = (kind: string, requests: Record<string, SeenRequest>) =>
      requests[kind]?.cookie?.split("; ").includes(cookie);
    const { transport } = world.place;
    const requests = await seen(world, client);
    assertEquals(has(OPENING[transport], requests), true);
    assertEquals(has("POST", requests), transport === "WebSockets" ? undefined : true);
  },
};

const tokens: Case = {
  name: "the access token goes with every request, in the header or the query",
  async run(world) {
    const query = { needsToken: "yes" } as const;
    const client = await world.connect({ token: "token of ann", query });
    assertEquals(await userOf(client), "ann");
    const { transport, runtime } = world.place;
    // Events never have it in the header: what opens them cannot in a page, and elsewhere does not.
    const inQuery = transport === "ServerSentEvents" ||
      transport === "WebSockets" && runtime === "browser";
    const requests = await seen(world, client);
    assertEquals(requests["negotiate"]?.token, "header");
    assertEquals(requests[OPENING[transport]]?.token, inQuery ? "query" : "header");
    assertEquals(requests["POST"]?.token, transport === "WebSockets" ? undefined : "header");
  },
};

const refused: Case = {
  name: "start() rejects with 401 Unauthorized when the access token is refused or missing",
  async run(world) {
    const query = { needsToken: "yes" } as const;
    for (const token of [{ token: "forged" }, {}]) {
      const { connection } = world.make({ ...token, query });
      const error = await assertRejects(() => connection.start(), Error);
      assertEquals(
        error.message,
        "Failed to complete negotiation with the server: Error: Unauthorized: Status code '401'",
      );
    }
  },
};

const renewed: Case = {
  name: "the access token is asked for again when the client comes back",
  async run(world) {
    let name = "ann";
    const client = await world.connect({
      token: () => `token of ${name}`,
      reconnectDelays: RECONNECT_DELAYS,
      query: { needsToken: "yes" },
    });
    assertEquals(await userOf(client), "ann");
    name = "bob";
    await world.outage(async () => {
      assertEquals((await client.events.next()).kind, "reconnecting");
    });
    assertEquals((await client.events.next()).kind, "reconnected");
    assertEquals(await userOf(client), "bob");
  },
};

const redirected: Case = {
  name: "negotiate may send the client to another URL with another token, anew at each reconnect",
  async run(world) {
    const moved = world.url({ tag: world.tag, needsToken: "yes", room: "moved" }, "far");
    const client = await world.connect({
      query: { moved, movedToken: "token of moved", room: "first" },
      token: "token of first",
      reconnectDelays: RECONNECT_DELAYS,
    });
    for (const negotiations of [2, 4]) {
      const { user, room } = await client.invoke("whoami") as { user: string; room: string };
      assertEquals([user, room], ["moved", "moved"]);
      const requests = await client.invoke("requests", world.tag) as SeenRequest[];
      assertEquals(requests.filter(({ kind }) => kind === "negotiate").length, negotiations);
      if (negotiations === 4) break;
      await client.connection.send("flood");
      assertEquals((await client.events.next()).kind, "reconnecting");
      assertEquals((await client.events.next()).kind, "reconnected");
    }
  },
};

const fallsBack: Case = {
  name: "a client falls back to the next transport when those before it are refused",
  async run(world) {
    const { transport, protocol } = world.place;
    const before = ALL.slice(0, ALL.indexOf(transport)).map((name) => OPENING[name]);
    const query = { refuse: before.join(",") };
    const client = await world.connect({ transports: ALL, query });
    assertEquals(await client.invoke("echo", "through"), "through");
    const requests = await client.invoke("requests", world.tag) as SeenRequest[];
    const tried = requests.map(({ kind }) => kind).filter((kind) =>
      kind !== "POST" && kind !== "negotiate"
    );
    // A client of a binary protocol knows that events cannot carry it.
    const expected = [...before, OPENING[transport]].filter((kind) =>
      kind !== "events" || protocol === "json"
    );
    assertEquals([...new Set(tried)], expected);
  },
};

const noneLeft: Case = {
  name: "start() rejects when every transport is refused",
  async run(world) {
    const refuse = Object.values(OPENING).join(",");
    const { connection } = world.make({ transports: ALL, query: { refuse } });
    await assertRejects(
      () => connection.start(),
      Error,
      "Unable to connect to the server with any of the available transports.",
    );
  },
};

const direct: Case = {
  name: "skipNegotiation opens a WebSocket at once; the server gives it an id all the same",
  fits: ({ transport }) => transport === "WebSockets",
  async run(world) {
    const client = await world.connect({ skipNegotiation: true, token: "token of ann" });
    const { id, user } = await client.invoke("whoami") as { id: string; user: string };
    assertEquals([client.id, id.length, user], ["", 22, "ann"]);
    const requests = await client.invoke("requests", world.tag) as SeenRequest[];
    assertEquals(requests.map(({ kind }) => kind), ["websocket"]);
  },
};

/** How clients ask to be let in, and which way they take. */
export const REQUESTS: readonly Case[] = [
  headers,
  cookies,
  tokens,
  refused,
  renewed,
  redirected,
  fallsBack,
  noneLeft,
  direct,
];
