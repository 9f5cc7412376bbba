import { Buffer } from "node:buffer";
import type { Clock } from "../clock.ts";
import type { TransportName } from "../options/transports.ts";
import { type Attachment, Session, type SessionKeeper } from "./session.ts";

/**
 * The connections of this process by token, shared by all hubs, as upstream. One to which no request
 * is attached is forgotten after a time. `specs/signalr-wire.md §3.4 and §4.7`.
 */
export class ConnectionTable implements SessionKeeper {
  readonly #clock: Clock;
  readonly #disconnectTimeout: number;
  readonly #maximumPending: number;
  readonly #sessions = new Map<string, Session>();
  /** Negotiated, without a transport; oldest first. */
  readonly #pending = new Set<Session>();
  /** With a transport but without a request, as between two polls; longest first. */
  readonly #resting = new Set<Session>();
  /** What is looked at once a heartbeat; also when its session is gone and an answer is not. */
  readonly #attachments = new Set<Attachment>();

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

  /** Adds a connection whose transport came without negotiating. */
  create(): Session {
    const id = randomId();
    return this.#add(id, id);
  }

  /** The connection of that token. */
  find(token: string): Session | undefined {
    return this.#sessions.get(token);
  }

  /** Fixes the transport of a session; its first request is attached. */
  attach(session: Session, transport: TransportName, attachment?: Attachment): void {
    session.transport = transport;
    session.attachment = attachment;
    if (attachment !== undefined) this.#attachments.add(attachment);
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

  /** Forgets a connection and ends what is left of it. Idempotent. */
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
    for (const attachment of this.#attachments) {
      if (!attachment.tick(now)) this.#attachments.delete(attachment);
    }
  }

  /** Forgets every connection. */
  close(): void {
    for (const session of this.#sessions.values()) this.dispose(session);
    this.#attachments.clear();
  }

  #add(id: string, token: string): Session {
    const session = new Session(id, token, this.#clock.now(), this);
    this.#sessions.set(token, session);
    return session;
  }
}

/** Filled anew for each id. */
const random = Buffer.alloc(16);

/** 16 random bytes as base64url: 22 characters that a URL takes as they are. */
function randomId(): string {
  return crypto.getRandomValues(random).toString("base64url");
}
