import { Buffer } from "node:buffer";
import type { Clock } from "../clock.ts";
import type { LinkedConnection } from "../connection/link.ts";
import type { TransportName } from "../options/transports.ts";
import type { LimitedLog } from "../scheduling/limited_log.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import { Sweep } from "../scheduling/sweep.ts";
import { visitAll } from "../scheduling/visits.ts";
import { ClosingSockets } from "./closing_sockets.ts";
import { type HttpPipe, Session } from "./session.ts";

/** The longest that a closing server waits for clients to answer a close, in milliseconds. */
const CLOSE_TIMEOUT = 1000;

/** The parts of a server that a {@link ConnectionTable} uses. */
export interface TableParts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly limitedLog: LimitedLog;
}

/** The options that limit a {@link ConnectionTable}. */
export interface TableLimits {
  readonly disconnectTimeout: number;
}

/** The content of a connection's token. */
interface Negotiated {
  readonly id: string;
  readonly stateful: boolean;
}

/**
 * The connections of a server by token. A connection without an attached request is forgotten after a
 * time. `specs/signalr-wire.md §3.4 and §4.7`.
 */
export class ConnectionTable {
  /** The native sockets that have not ended since they were closed. */
  readonly closing: ClosingSockets = new ClosingSockets();
  /** Is told of each connection that has left for another node, by its public id. */
  left: (id: string) => void = () => {};
  readonly #parts: TableParts;
  readonly #disconnectTimeout: number;
  readonly #sessions = new Map<string, Session>();
  /** The same by public id, which is how other nodes name them. */
  readonly #byId = new Map<string, Session>();
  /** Sessions without a transport, such as those to which a client posts first; oldest first. */
  readonly #pending = new Set<Session>();
  /** Sessions with a transport but without a request, as between two polls; longest first. */
  readonly #resting = new Set<Session>();
  /** The pipes that get a heartbeat; also when the session is gone and an answer is not. */
  readonly #pipes = new Set<HttpPipe>();
  readonly #forget = (session: Session) => this.dispose(session);
  readonly #expiry: Sweep<Session>;
  readonly #heartbeat: Sweep<HttpPipe>;

  constructor(parts: TableParts, { disconnectTimeout }: TableLimits) {
    const { clock } = this.#parts = parts;
    this.#disconnectTimeout = disconnectTimeout;
    const expired = { [Symbol.iterator]: () => this.#expired() };
    this.#expiry = new Sweep(parts, expired, this.#forget);
    this.#heartbeat = new Sweep(parts, this.#pipes, (pipe) => {
      if (!pipe.tick(clock.now())) this.#pipes.delete(pipe);
    });
  }

  /** Begins the connection of a token, which has not begun anywhere. */
  begin(hub: object, token: string, { id, stateful }: Negotiated): Session {
    const session = new Session({ id, token, hub }, this.#parts.clock.now(), this.#forget);
    session.stateful = stateful;
    this.#add(session);
    this.#pending.add(session);
    return session;
  }

  /** Makes a session for a stateful connection that is to come from another node; {@link arrived} may follow. */
  prepare(hub: object, token: string, { id }: Pick<Negotiated, "id">): Session {
    const session = new Session({ id, token, hub }, this.#parts.clock.now(), this.#forget);
    session.stateful = true;
    return session;
  }

  /** The connection of a session has come from another node, and waits for its client's WebSocket. */
  arrived(session: Session, connection: LinkedConnection): void {
    session.connection = connection;
    this.#add(session);
    this.setTransport(session, "WebSockets");
  }

  /** Makes a connection whose client did not negotiate: no other request can name it. */
  create(hub: object): Session {
    return new Session({ id: randomId(), token: "", hub }, this.#parts.clock.now(), this.#forget);
  }

  /** The connection of a token, if it is a connection to `hub`. */
  find(hub: object, token: string): Session | undefined {
    const session = this.#sessions.get(token);
    return session?.hub === hub ? session : undefined;
  }

  /** The connection of a public id, if its client has negotiated. */
  withId(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  /** Fixes the transport of a session; its first request is attached. */
  setTransport(session: Session, transport: TransportName, pipe?: HttpPipe): void {
    session.transport = transport;
    session.pipe = pipe;
    if (pipe !== undefined) this.#pipes.add(pipe);
    this.activate(session);
  }

  /** A request is attached. */
  activate(session: Session): void {
    if (session.state === "disposed") return;
    session.state = "active";
    this.#pending.delete(session);
    this.#resting.delete(session);
  }

  /** The request has ended, and another may follow. */
  rest(session: Session): void {
    if (session.state !== "active") return;
    session.state = "inactive";
    session.inactiveSince = this.#parts.clock.now();
    this.#resting.add(session);
  }

  /** Forgets a connection and ends its requests. Idempotent. */
  dispose(session: Session): void {
    if (session.state === "disposed") return;
    this.#pending.delete(session);
    this.#resting.delete(session);
    this.#sessions.delete(session.token);
    this.#byId.delete(session.id);
    if (session.hasLeft) this.left(session.id);
    session.dispose();
  }

  /** The heartbeat. */
  tick(): void {
    this.#expiry.begin();
    this.#heartbeat.begin();
  }

  /**
   * Forgets every connection. Resolves when the clients of closed sockets have their last bytes, if they
   * say so in time: a process that ends at once would lose those bytes.
   */
  async close(): Promise<void> {
    await visitAll(this.#parts, this.#sessions.values(), this.#forget);
    this.#pipes.clear();
    await this.closing.ended(this.#parts.clock, CLOSE_TIMEOUT);
  }

  #add(session: Session): void {
    this.#sessions.set(session.token, session);
    this.#byId.set(session.id, session);
  }

  /** The sessions that have been inactive for too long. */
  *#expired(): Generator<Session> {
    for (const inactive of [this.#pending, this.#resting]) {
      for (const session of inactive) {
        if (this.#parts.clock.now() - session.inactiveSince <= this.#disconnectTimeout) break;
        yield session;
      }
    }
  }
}

/** Shared by all ids: filled again for each of them. */
const random = Buffer.alloc(16);

/**
 * 16 random bytes as base64url: 22 characters that a URL takes as they are. The last one differs from the
 * last one of ASP.NET Core's ids, so that nodes can tell whose connection an id names.
 */
function randomId(): string {
  const text = crypto.getRandomValues(random).toString("base64url");
  return text.slice(0, 21) + String.fromCharCode(text.charCodeAt(21) + 1);
}
