import type { Clock } from "../clock.ts";

/** A connection that was negotiated, or whose transport came without. */
export interface TableEntry {
  /** The public id. */
  readonly id: string;
  /** The secret that requests carry; the key of the table. */
  readonly token: string;
  /** When it was negotiated. */
  readonly createdAt: number;
  /** Whether a transport is attached. */
  active: boolean;
}

/**
 * The connections of this process by token, shared by all hubs, as upstream. One that is negotiated
 * and gets no transport is forgotten after a time. `specs/signalr-wire.md §3.4`.
 */
export class ConnectionTable {
  readonly #clock: Clock;
  readonly #disconnectTimeout: number;
  readonly #maximumPending: number;
  readonly #entries = new Map<string, TableEntry>();
  /** Negotiated, without a transport; oldest first. */
  readonly #pending = new Set<TableEntry>();

  constructor(clock: Clock, disconnectTimeout: number, maximumPending: number) {
    this.#clock = clock;
    this.#disconnectTimeout = disconnectTimeout;
    this.#maximumPending = maximumPending;
  }

  /** Reserves an id and a token; `undefined` if too many wait for a transport. */
  reserve(negotiateVersion: number): TableEntry | undefined {
    if (this.#pending.size >= this.#maximumPending) return undefined;
    const id = randomId();
    const entry = this.#add(id, negotiateVersion === 0 ? id : randomId());
    this.#pending.add(entry);
    return entry;
  }

  /** Adds a connection whose transport came without negotiating. */
  create(): TableEntry {
    const id = randomId();
    return this.#add(id, id);
  }

  /** The connection of that token. */
  find(token: string): TableEntry | undefined {
    return this.#entries.get(token);
  }

  /** A transport has been attached. */
  activate(entry: TableEntry): void {
    entry.active = true;
    this.#pending.delete(entry);
  }

  /** Forgets a connection. */
  remove(entry: TableEntry): void {
    this.#pending.delete(entry);
    this.#entries.delete(entry.token);
  }

  /** Forgets what was negotiated too long ago. Called by the heartbeat. */
  sweep(): void {
    const due = this.#clock.now() - this.#disconnectTimeout;
    for (const entry of this.#pending) {
      if (entry.createdAt >= due) return;
      this.remove(entry);
    }
  }

  #add(id: string, token: string): TableEntry {
    const entry = { id, token, createdAt: this.#clock.now(), active: false };
    this.#entries.set(token, entry);
    return entry;
  }
}

/** 16 random bytes as base64url: 22 characters that a URL takes as they are. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
