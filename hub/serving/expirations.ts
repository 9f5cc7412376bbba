import type { NodeContext } from "../bus/node_context.ts";
import type { Clock } from "../clock.ts";
import { RECONNECT } from "../connection/closing.ts";
import type { HubConnection } from "../connection/connection.ts";
import type { HubUser } from "../definition/context.ts";
import { Sweep } from "../scheduling/sweep.ts";

/** The time at which a connection expires. */
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
  readonly #sweep: Sweep<[string, Stay]>;

  constructor(context: Pick<NodeContext, "clock" | "scheduler" | "limitedLog">) {
    this.#clock = context.clock;
    this.#sweep = new Sweep(context, this.#stays, ([, { connection, until }]) => {
      if (until <= this.#clock.date()) connection.close(RECONNECT);
    });
  }

  /** Adds a connection. */
  add(connection: HubConnection, user: HubUser | undefined): void {
    const stay = { connection, userId: user?.id, until: expiryOf(user) };
    this.#stays.set(connection.id, stay);
  }

  /** Renews a connection at a later request, such as a poll: the newest expiry counts, as upstream. */
  renew(id: string, user: HubUser | undefined): void {
    const stay = this.#stays.get(id);
    // Connection ids are public, so another user may send one.
    if (stay?.userId === user?.id && stay !== undefined) stay.until = expiryOf(user);
  }

  /** When the authentication of a connection's user expires, in milliseconds since 1970; `undefined` if never. */
  of(id: string): number | undefined {
    const { until = Infinity } = this.#stays.get(id) ?? {};
    return until === Infinity ? undefined : until;
  }

  /** Forgets a connection. */
  delete(id: string): void {
    this.#stays.delete(id);
  }

  /** Closes expired connections. Called by the heartbeat. */
  tick(): void {
    this.#sweep.begin();
  }
}

/**
 * The time at which the authentication of a user expires, in milliseconds since 1970; `Infinity` if
 * `expires` is absent.
 *
 * @throws {TypeError} if `expires` is not a valid date.
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
