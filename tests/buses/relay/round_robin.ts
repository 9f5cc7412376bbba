import {
  DefaultHttpClient,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  NullLogger,
} from "@microsoft/signalr";

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
