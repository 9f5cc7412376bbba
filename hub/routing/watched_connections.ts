import type { Knocker } from "../bus/knocker.ts";
import type { NodeContext } from "../bus/node_context.ts";
import { Sweep } from "../scheduling/sweep.ts";
import { visitAll } from "../scheduling/visits.ts";
import { type Door, Knocks } from "./knocks.ts";
import { isDotnetConnectionId } from "./names.ts";

/** How many knocks on the channel of a connection may stay without an answer: those of 5 s. */
const PATIENCE = 20;

/** A connection of another node, while something waits for an answer about the connection. */
export interface WatchedConnection extends Door {
  readonly id: string;
  /** How many answers are waited for. */
  waiting: number;
  /** The id of the knocks, which the answer to them repeats; 0 before the first knock. */
  knockId: number;
  /** The node that has the connection, once that node has answered. */
  home: Home | undefined;
}

/** Another node that has watched connections. */
interface Home extends Door {
  readonly node: string;
  readonly connections: Set<WatchedConnection>;
}

type WatchContext = Pick<NodeContext, "backplane" | "clock" | "scheduler" | "limitedLog">;

/** Called when no living node has a connection; `found` says whether a node has had the connection. */
export type LostListener = (connectionId: string, found: boolean) => void;

/**
 * Finds out that no living node has a connection, while something waits for an answer about it.
 *
 * This node knocks on the channel of the connection. The node that has the connection answers; from then
 * on this node knocks on the channel of that node instead, once for all connections there. When messages
 * may have been lost, this node looks for each connection anew.
 *
 * Connections of ASP.NET Core are not watched: their nodes cannot read a knock.
 */
export class WatchedConnections {
  readonly #knocker: Pick<Knocker, "knock" | "knockOnNode">;
  readonly #context: WatchContext;
  readonly #lost: LostListener;
  readonly #knocks: Knocks<WatchedConnection | Home>;
  readonly #connections = new Map<string, WatchedConnection>();
  readonly #byKnock = new Map<number, WatchedConnection>();
  readonly #homes = new Map<string, Home>();
  readonly #doubts: Sweep<WatchedConnection>;
  #lastKnockId = 0;

  constructor(
    knocker: Pick<Knocker, "knock" | "knockOnNode">,
    context: WatchContext,
    lost: LostListener,
  ) {
    this.#knocker = knocker;
    this.#context = context;
    this.#lost = lost;
    this.#knocks = new Knocks(context, {
      knock: (door) => this.#knock(door),
      nobody: (door) => "node" in door ? this.ended(door.node) : this.#lose(door),
    });
    const all = { [Symbol.iterator]: () => this.#connections.values() };
    this.#doubts = new Sweep(context, all, (connection) => this.#knocks.begin(connection));
  }

  /** Something waits for an answer about a connection; `undefined` if the connection is not watched. */
  begin(id: string): WatchedConnection | undefined {
    if (isDotnetConnectionId(id)) return undefined;
    let connection = this.#connections.get(id);
    if (connection === undefined) {
      connection = { id, waiting: 0, knockId: 0, home: undefined, ...door(PATIENCE) };
      this.#connections.set(id, connection);
      this.#knocks.begin(connection);
    }
    connection.waiting++;
    return connection;
  }

  /** The wait that {@link begin} has announced is over. */
  end(connection: WatchedConnection): void {
    if (--connection.waiting === 0) this.#forget(connection);
  }

  /** Whether a node may have the connection: one has answered, or none has been asked for long. */
  mayExist({ home, accepted }: WatchedConnection): boolean {
    return home !== undefined || accepted < 2;
  }

  /** `node` has answered a knock. An answer to an unknown knock is ignored. */
  here(knockId: number, node: string): void {
    const connection = this.#byKnock.get(knockId);
    if (connection === undefined) return;
    this.#endKnocks(connection);
    if (connection.home?.node === node) return;
    this.#leaveHome(connection);
    let home = this.#homes.get(node);
    if (home === undefined) {
      home = { node, connections: new Set(), ...door(Infinity) };
      this.#homes.set(node, home);
      this.#knocks.begin(home);
    }
    home.connections.add(connection);
    connection.home = home;
  }

  /** Another node is there no more. */
  ended(node: string): void {
    const home = this.#homes.get(node);
    if (home === undefined) return;
    this.#homes.delete(node);
    this.#knocks.end(home);
    visitAll(this.#context, home.connections, (connection) => this.#lose(connection));
  }

  /** Answers may have been lost: this node looks for every connection anew. */
  recovered(): void {
    this.#doubts.begin();
  }

  /** Ends all knocks. */
  close(): void {
    this.#knocks.close();
  }

  #knock(door: WatchedConnection | Home): Promise<number | undefined> {
    if ("node" in door) return this.#knocker.knockOnNode(door.node);
    if (door.knockId === 0) {
      door.knockId = ++this.#lastKnockId;
      this.#byKnock.set(door.knockId, door);
    }
    return this.#knocker.knock(door.id, door.knockId);
  }

  #lose(connection: WatchedConnection): void {
    if (this.#forget(connection)) this.#lost(connection.id, connection.home !== undefined);
  }

  /** Returns whether the connection was watched. */
  #forget(connection: WatchedConnection): boolean {
    if (this.#connections.get(connection.id) !== connection) return false;
    this.#connections.delete(connection.id);
    this.#endKnocks(connection);
    this.#leaveHome(connection);
    return true;
  }

  #endKnocks(connection: WatchedConnection): void {
    this.#byKnock.delete(connection.knockId);
    connection.knockId = 0;
    this.#knocks.end(connection);
  }

  #leaveHome(connection: WatchedConnection): void {
    const { home } = connection;
    if (home === undefined || !home.connections.delete(connection)) return;
    if (home.connections.size > 0 || this.#homes.get(home.node) !== home) return;
    this.#homes.delete(home.node);
    this.#knocks.end(home);
  }
}

function door(patience: number): Door {
  return { patience, outages: 0, accepted: 0, unheard: 0 };
}
