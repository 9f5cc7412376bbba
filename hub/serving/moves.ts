import type { NodeContext } from "../bus/node_context.ts";
import { lostOnTheWay, RECONNECT } from "../connection/closing.ts";
import { HubConnection } from "../connection/connection.ts";
import type { ListeningParts } from "../connection/parts.ts";
import type { Hooks } from "../dispatch/filters.ts";
import type { ConnectionState } from "../moves/connection_state.ts";
import { packItems } from "../moves/items.ts";
import type { Expirations } from "./expirations.ts";
import { greet, takeLeave } from "./lifetime.ts";
import { pause } from "./pause.ts";
import {
  ServedConnection,
  type ServedConnections,
  type ServedParts,
  type UserConnection,
} from "./served_connection.ts";

/** How many bytes of messages that the client has not acknowledged may move. */
const MAXIMUM_UNACKNOWLEDGED = 4 * 1024 * 1024;
/** The pause between two looks at what runs, in milliseconds. */
const LOOK = 50;

/** The request for a connection that is at another node. */
export type Origin = Omit<UserConnection, "id" | "stateful">;

/** A connection that has come from another node and waits for its client's pipe. */
export interface Arrived {
  readonly connection: HubConnection;
  /** Resolves with `true` when the client has missed nothing; with `false` if the connection has to end. */
  readonly whole: Promise<boolean>;
}

/** The parts of a hub that {@link Moves} needs. */
interface MovesParts {
  readonly context: Pick<NodeContext, "limitedLog">;
  readonly hooks: Hooks;
  readonly connection: ListeningParts<HubConnection>;
  readonly served: ServedParts;
}

/** Takes stateful connections of a hub out of this node, and takes in those of other nodes. */
export class Moves {
  readonly #hub: string;
  readonly #parts: MovesParts;
  readonly #served: ServedConnections;
  readonly #expirations: Expirations | undefined;

  constructor(
    hub: string,
    parts: MovesParts,
    served: ServedConnections,
    expirations: Expirations | undefined,
  ) {
    this.#hub = hub;
    this.#parts = parts;
    this.#served = served;
    this.#expirations = expirations;
  }

  /**
   * Takes a connection out: it ends here without a word to its client or the hub, and its state is what the
   * next home needs. Returns nothing, and leaves the connection as it is, while it cannot move: it is not
   * stateful, a call runs, or the bus is away. A connection that can never move is closed; see {@link canMove}.
   */
  leave(connection: HubConnection): ConnectionState | undefined {
    const served = this.#served.get(connection);
    const conversation = connection.isStateful ? connection.conversation?.movable : undefined;
    const { protocol, sequence } = conversation ?? {};
    if (served === undefined || protocol === undefined || sequence === undefined) return undefined;
    if (served.invocations?.idle() !== undefined || !this.canMove(connection)) return undefined;
    const { router } = this.#parts.served;
    const memberships = router.moves.leave(connection);
    if (memberships === undefined) return undefined;
    const { id } = connection;
    const expires = this.#expirations?.of(id);
    connection.leave();
    router.results.abandon(id);
    this.#expirations?.delete(id);
    this.#served.delete(connection);
    served.owner?.connectionLeft();
    const identity = { hub: this.#hub, id, userId: served.user?.id, expires };
    return { ...identity, protocol, ...memberships, sequence, items: served.items };
  }

  /**
   * Takes in a connection of another node. It is reachable when this returns, gets what it has missed
   * meanwhile, and waits for its client's pipe as a connection that has lost its pipe. The hub's `resumed`
   * runs before a message of the client is read. Returns nothing, and does nothing, while the bus is away, or
   * if the connection is here.
   *
   * @throws {TypeError} if the connection is one of another hub or user.
   * @throws {HubError} if a name or the id of the connection cannot be one.
   */
  join(state: ConnectionState, from: Origin): Arrived | undefined {
    const { id, userId, protocol, sequence, items } = state;
    const { connection: connectionParts, served: servedParts, context, hooks } = this.#parts;
    if (state.hub !== this.#hub || userId !== from.user?.id) {
      throw new TypeError("Cannot take in a connection: it is one of another hub or user");
    }
    const connection = new HubConnection(id, undefined, connectionParts, { protocol, sequence });
    const arrival = servedParts.router.moves.join(connection, userId, state);
    if (arrival === undefined) return undefined;
    const served = new ServedConnection(connection, { ...from, id }, servedParts, new Map(items));
    this.#served.set(connection, served);
    this.#expirations?.add(connection, from.user);
    connection.conversation?.admit(() =>
      hooks.resumed === undefined
        ? arrival.confirmed
        : greet("resumed", hooks, served, arrival.confirmed, context.limitedLog)
    );
    const whole = arrival.whole.then((whole) => {
      if (!whole) connection.close(lostOnTheWay());
      return whole && !connection.isClosed;
    });
    return { connection, whole };
  }

  /** Whether a connection is one of a user. */
  isOf(connection: HubConnection, userId: string | undefined): boolean {
    return this.#served.get(connection)?.user?.id === userId;
  }

  /**
   * Whether the items and the unacknowledged messages of a connection can move. If not, the connection is
   * closed with leave to reconnect.
   */
  canMove(connection: HubConnection): boolean {
    try {
      const { bytes = 0 } = connection.conversation?.reconnect?.sent ?? {};
      if (bytes > MAXIMUM_UNACKNOWLEDGED) {
        throw new RangeError(`More than ${MAXIMUM_UNACKNOWLEDGED} bytes are not acknowledged`);
      }
      packItems(this.#served.get(connection)?.items ?? new Map());
      return true;
    } catch (error) {
      const text = "A connection cannot move to another node, its client reconnects:";
      this.#parts.context.limitedLog.log("warn", text, text, error);
      connection.close(RECONNECT);
      return false;
    }
  }

  /**
   * Leaves further calls of a client unread, asks its streams to end soon, and resolves when nothing of the
   * connection runs; or when the connection has ended, or `over` is aborted.
   */
  async idle(connection: HubConnection, over: AbortSignal): Promise<void> {
    const { clock } = this.#parts.connection;
    const served = this.#served.get(connection);
    connection.conversation?.holdCalls();
    served?.invocations?.retire(false);
    while (!over.aborted && !connection.isClosed) {
      const { results } = this.#parts.served.router;
      const isBusy = served?.invocations?.idle() !== undefined || results.isAsked(connection.id);
      if (!isBusy && connection.conversation?.movable !== undefined) return;
      await pause(clock, LOOK, over);
    }
  }

  /** Tells the hub of a connection that has ended between two homes. */
  lost(state: ConnectionState, cause?: Error): Promise<void> {
    const { id, userId, protocol, sequence, items } = state;
    const { connection: connectionParts, served: servedParts, context, hooks } = this.#parts;
    const connection = new HubConnection(id, undefined, connectionParts, { protocol, sequence });
    connection.leave();
    // The request and the user that came with it have stayed at the old home.
    const request = { url: "", headers: new Headers() };
    const origin = { id, user: userId === undefined ? undefined : { id: userId }, request };
    const served = new ServedConnection(connection, origin, servedParts, new Map(items));
    return takeLeave(hooks, served, cause, context.limitedLog);
  }
}
