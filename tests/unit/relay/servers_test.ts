/**
 * Servers of one farm, in memory: a token of one of them at the others.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { MemoryBackplane, MemoryBus } from "../../../backplanes/memory.ts";
import { nodeChannel } from "../../../hub/bus/node_messages.ts";
import { readNodeMessage } from "../../../hub/bus/read_node_message.ts";
import {
  createHubServer,
  defineHub,
  type HubContext,
  type HubServerOptions,
} from "../../../mod.ts";
import { RecordingBackplane } from "../../kit/backplane.ts";
import { endOfTurn } from "../../kit/end_of_turn.ts";
import { KeptLog } from "../../kit/log.ts";
import { until } from "../../kit/wait.ts";

const HANDSHAKE = '{"protocol":"json","version":1}\x1e';
const CALL = '{"type":1,"invocationId":"1","target":"echo","arguments":[7]}\x1e';
const RESULT = '{"type":3,"invocationId":"1","result":7}\x1e';
const GONE: [number, string] = [404, "No Connection with that ID"];

/** A server that is reached without a network. */
class OfflineServer implements AsyncDisposable {
  readonly backplane: RecordingBackplane;
  readonly server;
  readonly log = new KeptLog();

  constructor(bus: MemoryBus, options: HubServerOptions) {
    this.backplane = new RecordingBackplane(new MemoryBackplane(bus, { logger: this.log }));
    this.backplane.heedsNodes = true;
    const hub = defineHub({
      methods: { echo: (_context: HubContext<Record<never, never>>, value: unknown) => value },
    });
    this.server = createHubServer({
      ...{ hubs: { "/hub": hub }, logger: this.log, ...options, backplane: this.backplane },
      authenticate(request) {
        const id = new URL(request.url).searchParams.get("user");
        return id === null ? undefined : { id };
      },
    });
  }

  /** The status and text of the answer to a request. */
  async send(query: string, method = "GET", body?: string): Promise<[number, string]> {
    const request = new Request(`http://localhost/hub${query}`, { method, body: body ?? null });
    const response = await this.server.fetch(request);
    return [response.status, await response.text()];
  }

  /** The answer to a GET, whose body is not read. */
  open(query: string, headers: HeadersInit): Promise<Response> {
    return this.server.fetch(new Request(`http://localhost/hub${query}`, { headers }));
  }

  /** The query of a new connection. */
  async negotiate(user?: string): Promise<string> {
    const more = user === undefined ? "" : `&user=${user}`;
    const [, text] = await this.send(`/negotiate?negotiateVersion=1${more}`, "POST");
    return `?id=${JSON.parse(text).connectionToken}${more}`;
  }

  /** What it has said to other nodes about tokens since the last call. */
  claims(): string[] {
    return this.backplane.published.splice(0).flatMap(({ channel, payload }) => {
      const message = channel.startsWith(nodeChannel("")) ? readNodeMessage(payload) : undefined;
      return message !== undefined && "kind" in message && /^claim/.test(message.kind)
        ? [message.kind]
        : [];
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server.close();
  }
}

async function farm(count: number, options: HubServerOptions = {}, bus = new MemoryBus()) {
  const servers = Array.from({ length: count }, () => new OfflineServer(bus, options));
  await Promise.all(servers.map(({ server }) => server.ready));
  for (const { server } of servers) await until(() => server.health().nodes === count);
  // Signs that are due at the end of a turn.
  await endOfTurn();
  for (const server of servers) server.claims();
  return {
    servers,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a connection that was negotiated on one node begins on another, after one question", async () => {
  await using nodes = await farm(2);
  const [one, two] = nodes.servers as [OfflineServer, OfflineServer];
  const query = await one.negotiate();
  assertEquals(await two.send(query), [200, ""]);
  assertEquals([one.claims(), two.claims()], [["claimed"], ["claim"]]);
  assertEquals(await two.send(query, "POST", HANDSHAKE), [200, ""]);
  assertEquals(await two.send(query), [200, "{}\x1e"]);
  // Its home answers its other requests through the other node, which knows the home.
  assertEquals(await one.send(query, "POST", `${CALL}${CALL}`), [200, ""]);
  assertEquals(await one.send(query), [200, `${RESULT}${RESULT}`]);
  assertEquals((await one.send(query, "DELETE"))[0], 202);
  for (const node of [two, one, one]) assertEquals(await node.send(query), GONE);
  assertEquals([one.claims(), two.claims()], [[], []]);
});

Deno.test("one token at three nodes at once makes one connection", async () => {
  await using nodes = await farm(3);
  const [one] = nodes.servers as [OfflineServer];
  for (let time = 0; time < 30; time++) {
    const query = await one.negotiate();
    const order = nodes.servers.map((_, index) => nodes.servers[(index + time) % 3]);
    const accept = "text/event-stream";
    const opened = await Promise.all(order.map((node) => node?.open(query, { accept })));
    const statuses = opened.map((response) => response?.status);
    assertEquals(statuses.toSorted(), [200, 409, 409]);
    for (const response of opened) await response?.body?.cancel();
  }
});

Deno.test("requests with one token at one node ask once, and are one connection", async () => {
  await using nodes = await farm(2);
  const [one, two] = nodes.servers as [OfflineServer, OfflineServer];
  const query = await one.negotiate();
  const first = two.send(query);
  const posted = two.send(query, "POST", HANDSHAKE);
  assertEquals([await first, await posted], [[200, ""], [200, ""]]);
  assertEquals(await two.send(query), [200, "{}\x1e"]);
  assertEquals(two.claims(), ["claim"]);
});

Deno.test("a forged token, and one of another farm, cause no message", async () => {
  await using nodes = await farm(2);
  await using others = await farm(1);
  const [one, two] = nodes.servers as [OfflineServer, OfflineServer];
  const query = await one.negotiate();
  const last = query.at(-1) === "A" ? "B" : "A";
  const forged = [
    ...[query.slice(0, -1) + last, query.replace(/=./, `=${last}`), "?id=x"],
    await others.servers[0]?.negotiate() ?? "",
  ];
  for (const server of nodes.servers) server.backplane.published.length = 0;
  for (const query of forged) {
    for (const method of ["GET", "POST", "DELETE"]) {
      for (const node of [one, two]) assertEquals(await node.send(query, method), GONE, query);
    }
  }
  // Signs come by the second.
  const { published } = two.backplane;
  assertEquals(published.filter(({ channel }) => channel !== "internal:hubplane:signs"), []);
  assertEquals([one.claims(), two.claims()], [[], []]);
  assertEquals(await two.send(query), [200, ""]);
});

Deno.test("requests that can begin nothing ask nobody, and the token stays good", async () => {
  await using nodes = await farm(2, { transports: ["LongPolling"] });
  const [one, two] = nodes.servers as [OfflineServer, OfflineServer];
  const query = await one.negotiate("ann");
  const other = [403, "The user associated with this connection changed."];
  for (const user of ["bob", ""]) {
    assertEquals(await two.send(query.replace("ann", user)), other);
    assertEquals(await two.send(query.replace("ann", user), "POST", HANDSHAKE), other);
    assertEquals(await one.send(query.replace("ann", user)), other);
  }
  assertEquals(await two.send(query, "DELETE"), GONE);
  assertEquals((await two.open(query, { accept: "text/event-stream" })).status, 404);
  assertEquals([one.claims(), two.claims()], [[], []]);
  assertEquals(await two.send(query), [200, ""]);
});

Deno.test("a node that drains begins nothing, and lets its tokens begin elsewhere", async () => {
  await using nodes = await farm(2);
  const [one, two] = nodes.servers as [OfflineServer, OfflineServer];
  const [first, second] = [await one.negotiate(), await two.negotiate()];
  await one.server.drain();
  assertEquals((await one.send(second))[0], 503);
  assertEquals([one.claims(), two.claims()], [[], []]);
  assertEquals(await two.send(first), [200, ""]);
});

Deno.test("a fresh token of a server that has closed begins at one of the others", async () => {
  await using nodes = await farm(3);
  const [one, two, three] = nodes.servers as [OfflineServer, OfflineServer, OfflineServer];
  const query = await one.negotiate();
  const [later, used] = [await one.negotiate(), await one.negotiate()];
  assertEquals(await two.send(used), [200, ""]);
  await one.server.close();
  await until(() => two.server.health().nodes === 2 && three.server.health().nodes === 2);
  const accept = "text/event-stream";
  const opened = await Promise.all([two, three].map((node) => node.open(query, { accept })));
  assertEquals(opened.map(({ status }) => status).toSorted(), [200, 409]);
  for (const { body } of opened) await body?.cancel();
  assertEquals(await three.send(later), [200, ""]);
  // The other one relays to the home of the first use.
  assertEquals(await three.send(used, "POST", HANDSHAKE), [200, ""]);
  assertEquals(await three.send(used), [200, "{}\x1e"]);
});

Deno.test("a server that closes lets the polls of other servers' connections go on elsewhere", async () => {
  await using nodes = await farm(2);
  const [one, two] = nodes.servers as [OfflineServer, OfflineServer];
  const query = await one.negotiate();
  assertEquals(await one.send(query), [200, ""]);
  assertEquals(await two.send(query, "POST", HANDSHAKE), [200, ""]);
  assertEquals(await two.send(query), [200, "{}\x1e"]);
  const waiting = two.send(query);
  await endOfTurn();
  await two.server.close();
  assertEquals(await waiting, [200, ""]);
  assertEquals(await one.send(query, "POST", CALL), [200, ""]);
  assertEquals(await one.send(query), [200, RESULT]);
});

Deno.test("a request waits while the bus is away, and is answered when it is back", async () => {
  const bus = new MemoryBus();
  await using nodes = await farm(2, {}, bus);
  const [one, two] = nodes.servers as [OfflineServer, OfflineServer];
  const query = await one.negotiate();
  bus.stop();
  const answer = two.send(query);
  let claims = 0;
  await until(() => (claims += two.claims().length) > 1);
  bus.start();
  assertEquals(await answer, [200, ""]);
  assertEquals(await one.send(await one.negotiate()), [200, ""]);
});

Deno.test("a server that is closed refuses the requests that wait for other nodes", async () => {
  const bus = new MemoryBus();
  await using nodes = await farm(2, {}, bus);
  const [one, two] = nodes.servers as [OfflineServer, OfflineServer];
  const queries = [await one.negotiate(), await one.negotiate()];
  bus.stop();
  const answers = queries.map((query) => two.send(query));
  await endOfTurn();
  await two.server.close();
  assertEquals(await Promise.all(answers), [[503, ""], [503, ""]]);
});

Deno.test("at most 1,000 requests wait for other nodes; further ones are refused, and logged", async () => {
  const bus = new MemoryBus();
  await using nodes = await farm(2, {}, bus);
  const [one, two] = nodes.servers as [OfflineServer, OfflineServer];
  const [query, own] = [await one.negotiate(), await two.negotiate()];
  bus.stop();
  const answers = Array.from({ length: 1000 }, () => two.send(query, "POST", ""));
  await endOfTurn();
  assertEquals(await two.send(query), [503, ""]);
  assertEquals(await two.send(await one.negotiate()), [503, ""]);
  const text = "1000 requests wait for the nodes that have issued their tokens";
  assertEquals(two.log.lines.filter((line) => line.includes(text)).length, 1);
  // Its own tokens need nobody.
  assertEquals(await two.send(own), [200, ""]);
  bus.start();
  const statuses = new Set((await Promise.all(answers)).map(([status]) => status));
  // maximumPostsPerConnection
  assertEquals(statuses, new Set([200, 429]));
  assertEquals(await two.send(query), [200, ""]);
});
