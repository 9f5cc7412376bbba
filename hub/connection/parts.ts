import type { Clock } from "../clock.ts";
import type { ResolvedConnectionOptions } from "../options/connection.ts";
import type { TextOrBytes } from "../protocol/frame.ts";
import type { HubMessage } from "../protocol/messages.ts";
import type { BudgetLimit, ConnectionBudget, ConnectionBudgetKind } from "../scheduling/budget.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { CloseCause } from "./closing.ts";

/** Shared by all connections of a hub: there are many, and each has one pointer to this object. */
export interface ConnectionParts {
  readonly limits: ResolvedConnectionOptions;
  readonly budget: Readonly<Record<ConnectionBudgetKind, BudgetLimit>>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** Handles the messages that an {@link Inbox} reads. */
export interface InboxListener {
  /** The amounts that the client has. */
  readonly budget: ConnectionBudget;
  /**
   * Notes that a message has come; returns whether it is to be handled.
   *
   * @throws {ProtocolError} if messages are missing before it.
   */
  takes(message: HubMessage): boolean;
  /** Handles a message; returns a promise if no further call may begin until that settles. */
  message(message: HubMessage, record: TextOrBytes): Promise<void> | undefined;
  /** Returns a promise while the client does not take its answers: no further call may begin. */
  untilRoom(): Promise<void> | undefined;
  /** Ends the connection: the client broke a rule or a limit, and the inbox has stopped reading. */
  close(cause: CloseCause): void;
  /** Many bytes are waiting: stop the transport if that is possible, and let it go on later. */
  backlog(waiting: boolean): void;
}

/** The hub's side of its connections; `C` is the connection. */
export interface ConnectionListener<C> {
  /**
   * The handshake is done; reading starts when this resolves, or returns nothing. A rejection ends the
   * connection.
   */
  opened(connection: C): Promise<unknown> | undefined;
  /**
   * A message to dispatch, and its record; returns a promise when the next call has to wait. Other messages
   * do not wait.
   */
  message(connection: C, message: HubMessage, record: TextOrBytes): Promise<void> | undefined;
  /**
   * The connection ends: nothing is delivered to it any more. Called at once; messages may follow if the
   * client has gone.
   */
  closing(connection: C, cause: CloseCause): void;
  /**
   * Called after `closing`, once `opened` has settled and no message can follow; `admitted` is whether
   * `opened` had resolved.
   */
  closed(connection: C, cause: CloseCause, admitted: boolean): Promise<void>;
}

/** The parts of all connections of a hub, with the hub. */
export type ListeningParts<C> = ConnectionParts & { readonly listener: ConnectionListener<C> };
