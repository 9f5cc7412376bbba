import type { NodeContext } from "../bus/node_context.ts";
import { lostOnTheWay, RECONNECT } from "../connection/closing.ts";
import { HubConnection } from "../connection/connection.ts";
import {
  type ConnectionState,
  readConnectionState,
  writeConnectionState,
} from "../moves/connection_state.ts";
import { type HandoverEffects, Handovers, type Taken } from "../moves/handovers.ts";
import type { Router } from "../routing/router.ts";
import type { ClaimOrigin, ClaimOutcome, RunningClaim } from "./claims.ts";
import type { Moves } from "./moves.ts";
import { pause } from "./pause.ts";

/** The pause between two looks at what is repeated, in milliseconds. */
const LOOK = 50;
/** How long a node that drains waits for a client until it parks the connection, in milliseconds. */
const RETURN = 1500;
/** How long a parked connection may wait longer than others: its client may not know that its node ends. */
const ENDING = 30_000;

interface Claim {
  readonly connectionId: string;
  readonly origin: ClaimOrigin;
  settle(outcome: ClaimOutcome): void;
}

/** The parts of a hub that {@link HubHandovers} needs. */
interface HandoverParts {
  readonly hub: string;
  readonly context: NodeContext<{ readonly disconnectTimeout: number }>;
  readonly router: Router;
  readonly moves: Moves;
}

/** Brings the connections of a hub to other nodes, and those of other nodes here. */
export class HubHandovers {
  readonly #parts: HandoverParts;
  readonly #handovers: Handovers<Claim>;
  readonly #listening: Disposable;
  #look: Disposable | undefined;
  /** How long the bus has been away in all before, and since when it is away now. */
  #away = 0;
  #awaySince: number | undefined;

  constructor(parts: HandoverParts) {
    this.#parts = parts;
    const { context: { backplane, clock, options }, router } = parts;
    if (backplane.status !== "open") this.#awaySince = clock.now();
    this.#listening = backplane.onStatus(({ status }) => {
      if (status !== "open") this.#awaySince ??= clock.now();
      else if (this.#awaySince !== undefined) {
        this.#away += clock.now() - this.#awaySince;
        this.#awaySince = undefined;
      }
    });
    this.#handovers = new Handovers(this.#effects(), options.disconnectTimeout + ENDING);
    router.moves.bus.receive = (message) => {
      this.#handovers.received(message, this.#now);
      this.#lookSoon();
    };
  }

  /** Whether a state of a connection is on its way to another node. */
  get giving(): boolean {
    return this.#handovers.giving;
  }

  /**
   * Asks other nodes for a connection whose client has sent a request to this one, for `timeout`
   * milliseconds in which the bus is there.
   */
  claim(connectionId: string, origin: ClaimOrigin, timeout: number): RunningClaim {
    const { promise: outcome, resolve: settle } = Promise.withResolvers<ClaimOutcome>();
    const now = this.#now;
    const identity = { connectionId, userId: origin.user?.id };
    const times = { now, until: now + timeout };
    const id = this.#handovers.claim(identity, { connectionId, origin, settle }, times);
    this.#lookSoon();
    const abandon = () => {
      this.#handovers.abandon(id);
      settle("late");
    };
    return { outcome, abandon };
  }

  /** Brings a connection without a pipe to another node; returns whether there is one that can take it. */
  park(connection: HubConnection): boolean {
    const { moves, router } = this.#parts;
    const node = router.moves.bus.successor;
    const state = node === undefined ? undefined : moves.leave(connection);
    if (node === undefined || state === undefined) return false;
    this.#handovers.park(node, connection.id, writeConnectionState(state), this.#now);
    this.#lookSoon();
    return true;
  }

  /** Sends the connections that are parked here to another node, if there is one, because this one ends. */
  parkElsewhere(): void {
    const node = this.#parts.router.moves.bus.successor;
    if (node !== undefined) this.#handovers.parkElsewhere(node, this.#now);
  }

  /**
   * Lets the running work of a stateful connection end, then drops its pipe, so that its client comes back at
   * another node. Resolves when the connection has left or has ended, or its client has not come back:
   * {@link finish} follows. Where no other node takes it, its client is asked to reconnect. `over` ends the
   * wait for work.
   */
  async release(connection: HubConnection, over: AbortSignal): Promise<void> {
    const { moves, context: { clock } } = this.#parts;
    const left = new AbortController();
    connection.finished.then(() => left.abort());
    const ended = AbortSignal.any([over, left.signal]);
    while (!connection.isClosed) {
      await moves.idle(connection, over);
      if (this.#stays(connection, over)) return;
      // Its client may have come back through another node, or cannot be cut off.
      if (connection.clings) return connection.close(RECONNECT);
      connection.dropPipe();
      await pause(clock, RETURN, ended);
      // A balancer may have brought the client back here: then all begins again.
      if (connection.conversation?.reconnect?.isLost) return;
    }
  }

  /**
   * Parks a connection whose client has not come back, and nothing of which runs. A parked connection hears
   * nothing of a node that ends, so this node should send nothing any more.
   */
  finish(connection: HubConnection, over: AbortSignal): void {
    if (connection.isClosed || this.#stays(connection, over)) return;
    if (connection.clings || !this.park(connection)) connection.close(RECONNECT);
  }

  /** Closes a connection that cannot go on at another node; returns whether that is so. */
  #stays(connection: HubConnection, over: AbortSignal): boolean {
    const { moves, router } = this.#parts;
    const stays = over.aborted || router.moves.bus.successor === undefined;
    if (stays) connection.close(RECONNECT);
    return stays || !moves.canMove(connection);
  }

  /** Nothing is repeated any more. */
  close(): void {
    this.#listening[Symbol.dispose]();
    this.#look?.[Symbol.dispose]();
    this.#parts.router.moves.bus.receive = () => {};
  }

  /** A time that stands still while the bus is away: nobody can answer then. */
  get #now(): number {
    return (this.#awaySince ?? this.#parts.context.clock.now()) - this.#away;
  }

  #lookSoon(): void {
    if (this.#look !== undefined || this.#handovers.idle) return;
    this.#look = this.#parts.context.clock.after(LOOK, () => {
      this.#look = undefined;
      this.#handovers.tick(this.#now);
      this.#lookSoon();
    });
  }

  /** The connection of that id, if it is here. */
  #find(connectionId: string): HubConnection | undefined {
    const found = this.#parts.router.moves.find(connectionId);
    return found instanceof HubConnection && !found.isClosed ? found : undefined;
  }

  #take(connectionId: string, userId: string | undefined): Taken {
    const { moves } = this.#parts;
    const connection = this.#find(connectionId);
    if (connection === undefined) return "absent";
    if (!moves.isOf(connection, userId)) return "denied";
    const state = moves.leave(connection);
    if (state !== undefined) return writeConnectionState(state);
    return connection.isClosed ? "absent" : "later";
  }

  #accept(bytes: Uint8Array, { origin, settle }: Claim): "accepted" | "later" {
    const { context: { limitedLog }, moves } = this.#parts;
    try {
      const state = readConnectionState(bytes);
      if (this.#find(state.id) !== undefined) return "accepted";
      const arrived = moves.join(state, origin);
      if (arrived === undefined) return "later";
      origin.arrived?.(arrived.connection);
      settle(arrived);
    } catch (error) {
      const text = "Cannot take in a connection of another node:";
      limitedLog.log("error", text, text, error);
      settle("late");
    }
    return "accepted";
  }

  #lost(connectionId: string, bytes: Uint8Array): void {
    const { context: { limitedLog }, moves } = this.#parts;
    const text = "A connection has ended on its way to another node:";
    limitedLog.log("warn", text, text, connectionId);
    const state = readOwn(bytes);
    if (state !== undefined) void moves.lost(state, lostOnTheWay().error);
  }

  #effects(): HandoverEffects<Claim> {
    const { hub, context: { serverName }, router } = this.#parts;
    const { bus } = router.moves;
    return {
      serverName,
      hub,
      ask: (question) => bus.ask(question),
      tell: (node, message) => bus.tell(node, message),
      take: (connectionId, userId) => this.#take(connectionId, userId),
      isOf: (bytes, userId) => {
        const state = readOwn(bytes);
        return state !== undefined && state.userId === userId;
      },
      accept: (state, claim) => this.#accept(state, claim),
      arrived: ({ connectionId, settle }) => {
        const connection = this.#find(connectionId);
        settle(connection ? { connection, whole: Promise.resolve(true) } : "late");
      },
      failed: ({ settle }, why) => settle(why),
      listen: (connectionId, listens) => bus.listen(connectionId, listens),
      lost: (connectionId, state) => this.#lost(connectionId, state),
      overdue: (_connectionId, bytes) => {
        const state = readOwn(bytes);
        if (state !== undefined) void this.#parts.moves.lost(state);
      },
    };
  }
}

/** The state in bytes that are kept here; `undefined` if another node has sent something else. */
function readOwn(bytes: Uint8Array): ConnectionState | undefined {
  try {
    return readConnectionState(bytes);
  } catch {
    return undefined;
  }
}
