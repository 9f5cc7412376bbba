import { createInbox } from "nats/lib/nats-base-client/internal_mod.js";

/** The part of a connection that an inbox uses. */
export interface InboxConnection {
  /** Subscribes `subject`; resolves with the reason if the server refuses. */
  subscribe(subject: string): Promise<Error | undefined>;
}

/**
 * The reply subjects of a connection. A server sends a notice without content (503) to the reply
 * subject of a message that has no subscriber. It does so before it answers a PING behind the message.
 *
 * One wildcard subscription serves all reply subjects, and is made for the first of them.
 */
export class Inbox {
  readonly #prefix = `${createInbox()}.`;
  /** The wildcard subscription. */
  readonly subject: string = `${this.#prefix}*`;
  readonly #connection: InboxConnection;
  #last = 0;
  #refused = false;

  constructor(connection: InboxConnection) {
    this.#connection = connection;
  }

  /** A reply subject that was not used before; `undefined` if the server refuses the inbox. */
  next(): string | undefined {
    if (this.#last === 0) this.#open();
    return this.#refused ? undefined : `${this.#prefix}${++this.#last}`;
  }

  /** The server does not permit the inbox, or no longer. */
  refuse(): void {
    this.#refused = true;
  }

  async #open(): Promise<void> {
    // The end of the connection is no refusal, and nobody uses the inbox after it.
    if (await this.#connection.subscribe(this.subject).catch(() => {})) this.refuse();
  }
}
