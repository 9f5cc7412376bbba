import { Buffer } from "node:buffer";
import type { Clock } from "../clock.ts";
import type { TransportName } from "../options/transports.ts";
import { type HttpPipe, Session } from "./session.ts";

/**
 * The connections of a server by token, shared by all hubs, as upstream. A connection without an attached
 * request is forgotten after a time. `specs/signalr-wire.md §3.4 and §4.7`.
 */
export class ConnectionTable {
  readonly #clock: Clock;
  readonly #disconnectTimeout: number;
  readonly #maximumPending: number;
  readonly #sessions = new Map<string, Session>();
  /** Negotiated sessions without a transport; oldest first. */
  readonly #pending = new Set<Session>();
  /** Sessions with a transport but without a request, as between two polls; longest first. */
  readonly #resting = new Set<Session>();
  /** The pipes that get a heartbeat; also when the session is gone and an answer is not. */
  readonly #pipes = new Set<HttpPipe>();
  readonly #forget = (session: Session) => this.dispose(session);

  constructor(clock: Clock, disconnectTimeout: number, maximumPending: number) {
    this.#clock = clock;
    this.#disconnectTimeout = disconnectTimeout;
    this.#maximumPending = maximumPending;
  }

  /** Reserves an id and a token; `undefined` if too many wait for a transport. */
  reserve(negotiateVersion: number): Session | undefined {
    if (this.#pending.size >= this.#maximumPending) return undefined;
    const id = randomId();
    const session = this.#add(id, negotiateVersion === 0 ? id : randomId());
    this.#pending.add(session);
    return session;
  }

  /** Adds a connection whose client did not negotiate. */
  create(): Session {
    const id = randomId();
    return this.#add(id, id);
  }

  /** The connection of a token. */
  find(token: string): Session | undefined {
    return this.#sessions.get(token);
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
    session.inactiveSince = this.#clock.now();
    this.#resting.add(session);
  }

  /** Forgets a connection and ends its requests. Idempotent. */
  dispose(session: Session): void {
    if (session.state === "disposed") return;
    this.#pending.delete(session);
    this.#resting.delete(session);
    this.#sessions.delete(session.token);
    session.dispose();
  }

  /** The heartbeat. */
  tick(): void {
    const now = this.#clock.now();
    for (const inactive of [this.#pending, this.#resting]) {
      for (const session of inactive) {
        if (now - session.inactiveSince <= this.#disconnectTimeout) break;
        this.dispose(session);
      }
    }
    for (const pipe of this.#pipes) if (!pipe.tick(now)) this.#pipes.delete(pipe);
  }

  /** Forgets every connection. */
  close(): void {
    for (const session of this.#sessions.values()) this.dispose(session);
    this.#pipes.clear();
  }

  #add(id: string, token: string): Session {
    const session = new Session(id, token, this.#clock.now(), this.#forget);
    this.#sessions.set(token, session);
    return session;
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
