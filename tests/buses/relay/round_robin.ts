import {
  DefaultHttpClient,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  type IHubProtocol,
  JsonHubProtocol,
  LogLevel,
  NullLogger,
} from "@microsoft/signalr";
import type { ClientSockets } from "../../kit/client_sockets.ts";

/** The requests of an official client, each to the next one of several nodes, as behind a balancer. */
export class RoundRobinClient extends DefaultHttpClient implements HttpClient {
  readonly #nodes: readonly string[];
  #next = 0;

  /** The URLs of the hub at each node. The client is given the first one. */
  constructor(nodes: readonly string[]) {
    super(NullLogger.instance);
    this.#nodes = nodes;
  }

  override send(request: HttpRequest): Promise<HttpResponse> {
    const [first = ""] = this.#nodes;
    const node = this.#nodes[this.#next++ % this.#nodes.length] ?? first;
    const url = (request.url ?? "").replace(new RegExp(`^${first}`), node);
    return super.send({ ...request, url });
  }
}

/** How an official client connects. */
export interface ClientTerms {
  readonly transport: "LongPolling" | "ServerSentEvents";
  readonly protocol: IHubProtocol;
}

/** An official client whose requests go to nodes in turn; by long polling with JSON unless told otherwise. */
export function pollingClient(
  nodes: readonly string[],
  sockets: ClientSockets,
  { transport, protocol }: ClientTerms = {
    transport: "LongPolling",
    protocol: new JsonHubProtocol(),
  },
): HubConnection {
  return new HubConnectionBuilder()
    .withUrl(nodes[0] ?? "", {
      transport: HttpTransportType[transport],
      httpClient: new RoundRobinClient(nodes),
      ...sockets,
    })
    .withHubProtocol(protocol)
    .configureLogging(LogLevel.None)
    .build();
}
