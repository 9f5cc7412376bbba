/**
 * Official clients that negotiate with one node and connect to another, as behind a balancer.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  DefaultHttpClient,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  JsonHubProtocol,
  LogLevel,
  NullLogger,
} from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { acknowledged } from "../../kit/acknowledged.ts";
import { ClientSockets } from "../../kit/client_sockets.ts";
import { bounded, Events, until } from "../../kit/wait.ts";
import { BUSES } from "../scaleout/buses.ts";
import { Pair } from "../scaleout/nodes.ts";

const TRANSPORTS = ["WebSockets", "ServerSentEvents", "LongPolling"] as const;

/** Sends negotiates to another node than all other requests. */
class BalancedClient extends DefaultHttpClient implements HttpClient {
  readonly #from: string;
  readonly #to: string;

  constructor(from: string, to: string) {
    super(NullLogger.instance);
    this.#from = from;
    this.#to = to;
  }

  override send(request: HttpRequest): Promise<HttpResponse> {
    const url = request.url ?? "";
    const isNegotiate = url.includes("/negotiate?");
    return super.send({ ...request, url: isNegotiate ? url.replace(this.#from, this.#to) : url });
  }
}

/** A client that negotiates with the node at one URL and connects to the node at another. */
function client(
  negotiates: string,
  connects: string,
  transport: (typeof TRANSPORTS)[number],
  protocol: JsonHubProtocol | MessagePackHubProtocol,
  sockets: ClientSockets,
): HubConnection {
  return new HubConnectionBuilder()
    .withUrl(connects, {
      transport: HttpTransportType[transport],
      httpClient: new BalancedClient(connects, negotiates),
      ...sockets,
    })
    .withHubProtocol(protocol)
    .withStatefulReconnect()
    .configureLogging(LogLevel.None)
    .build();
}

for (const name of ["memory", "broadcast_channel", "redis", "nats"] as const) {
  Deno.test(`clients negotiate with one node and connect to another, over ${name}`, async () => {
    await using bus = await BUSES[name]?.() ?? null;
    if (bus === null) throw new Error(`Cannot find bus: ${name}`);
    await using pair = await Pair.start(bus, { allowStatefulReconnects: true });
    // Nodes that start at once may be ready before they have heard each other.
    await until(() => [pair.one, pair.two].every(({ server }) => server.nodes.length === 2));
    for (const [near, far] of [[pair.one, pair.two], [pair.two, pair.one]] as const) {
      for (const transport of TRANSPORTS) {
        for (const protocol of [new JsonHubProtocol(), new MessagePackHubProtocol()]) {
          if (transport === "ServerSentEvents" && protocol.name === "messagepack") continue;
          const sockets = new ClientSockets();
          const connection = client(near.url, far.url, transport, protocol, sockets);
          const heard = new Events<string>();
          connection.on("heard", heard.add);
          await bounded(connection.start(), `a start with ${transport}`);
          assertEquals(await bounded(connection.invoke("echo", "here")), "here");
          // Its public id is the one that the other node has given, and both nodes reach it.
          const { connectionId } = connection;
          for (const { clients } of [near, far]) {
            await clients.client(connectionId ?? "").send("heard", "hello");
          }
          await heard.count(2);
          await connection.stop();
          await sockets.closed();
          assertEquals((await far.departed.next()) === connectionId, true);
        }
      }
    }
    assertEquals([...pair.one.logger.lines, ...pair.two.logger.lines], []);
    await acknowledged();
  });
}
