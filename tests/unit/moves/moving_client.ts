import type { HubConnection } from "../../../hub/connection/connection.ts";
import { Link } from "../../../hub/connection/link.ts";
import {
  type ConnectionState,
  readConnectionState,
  writeConnectionState,
} from "../../../hub/moves/connection_state.ts";
import type { LiveHub } from "../../../hub/serving/live_hub.ts";
import type { Arrived } from "../../../hub/serving/moves.ts";
import { MemoryPipe } from "../../kit/pipe.ts";
import { StatefulClient } from "../hub/stateful_client.ts";

/** A node, as its clients see it. */
interface Node {
  readonly hub: LiveHub;
}

/** A request for a connection; its text tells which one it was. */
export function requestOf(text: string): { url: string; headers: Headers } {
  return { url: `http://localhost/hub?${text}`, headers: new Headers() };
}

/** A client whose connection goes from node to node. */
export class MovingClient {
  connection: HubConnection;
  pipe: MemoryPipe = new MemoryPipe();
  readonly peer: StatefulClient;
  readonly #userId: string | undefined;

  constructor(node: Node, id: string, userId?: string) {
    this.#userId = userId;
    const from = { id, user: this.#user, request: requestOf("first"), stateful: true };
    this.connection = node.hub.connect(this.pipe, from);
    this.pipe.attach(new Link(this.pipe, this.connection));
    this.pipe.send({ protocol: "json", version: 2 });
    // A client that has handled the answer to its handshake.
    this.peer = new StatefulClient(this);
  }

  get #user(): { id: string } | undefined {
    return this.#userId === undefined ? undefined : { id: this.#userId };
  }

  /** The connection leaves its node; the state goes over the bus. */
  leave(node: Node): ConnectionState | undefined {
    const state = node.hub.moves.leave(this.connection);
    return state && readConnectionState(writeConnectionState(state));
  }

  /** The connection goes on at another node, which has got a request. */
  join(node: Node, state: ConnectionState, request = "again"): Arrived | undefined {
    const arrived = node.hub.moves.join(state, { user: this.#user, request: requestOf(request) });
    if (arrived !== undefined) this.connection = arrived.connection;
    return arrived;
  }

  /** Leaves one node for another, where the client comes back. */
  async move(from: Node, to: Node): Promise<boolean> {
    this.peer.cut(true);
    const state = this.leave(from);
    const arrived = state && this.join(to, state);
    if (arrived === undefined) throw new Error("Cannot move the connection now");
    const whole = await arrived.whole;
    this.peer.comeBack();
    return whole;
  }
}
