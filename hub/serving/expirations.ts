import type { Clock } from "../clock.ts";
import type { HubConnection } from "../connection/connection.ts";
import type { HubUser } from "../definition/context.ts";
import { MessageType } from "../protocol/messages.ts";

/** Until when a connection may stay. */
interface Stay {
  readonly connection: HubConnection;
  readonly userId: string | undefined;
  /** In milliseconds since 1970. */
  until: number;
}

/**
 * Ends connections when the authentication of their user expires; the clients may reconnect.
 * `specs/signalr-wire.md §5 and §11`.
 */
export class Expirations {
  readonly #clock: Clock;
  readonly #stays = new Map<string, Stay>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A connection has come. */
  add(connection: HubConnection, user: HubUser | undefined): void {
    const stay = { connection, userId: user?.id, until: expiryOf(user) };
    this.#stays.set(connection.id, stay);
  }

  /** A later request for the same connection has come, as a poll: the newest counts, as upstream. */
  renew(id: string, user: HubUser | undefined): void {
    const stay = this.#stays.get(id);
    // Everybody may know the id of a connection.
    if (stay?.userId === user?.id && stay !== undefined) stay.until = expiryOf(user);
  }

  /** A connection has gone. */
  delete(id: string): void {
    this.#stays.delete(id);
  }

  /** The heartbeat. */
  tick(): void {
    const now = this.#clock.date();
    for (const { connection, until } of this.#stays.values()) {
      if (until > now) continue;
      connection.close({ message: { type: MessageType.Close, allowReconnect: true } });
    }
  }
}

/**
 * When the authentication of a user expires, in milliseconds since 1970; never if it does not say.
 *
 * @throws {TypeError} if it says no time.
 */
export function expiryOf(user: HubUser | undefined): number {
  const expires = user?.expires;
  if (expires === undefined) return Infinity;
  const time = expires instanceof Date ? expires.getTime() : NaN;
  if (Number.isNaN(time)) {
    throw new TypeError(`Cannot use user: expires is not a valid Date: ${String(expires)}`);
  }
  return time;
}
