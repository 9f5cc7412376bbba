import { GroupAckTimeoutError, HubError } from "../definition/errors.ts";
import { Acks } from "../bus/questions.ts";
import type { HubChannels } from "../bus/channel_names.ts";
import {
  GroupAction,
  type GroupCommand,
  readAck,
  readGroupCommand,
  writeAck,
  writeGroupCommand,
} from "../bus/envelope.ts";
import type { Groups } from "./local_groups.ts";
import { checkName } from "./names.ts";
import type { Recipient } from "./recipient.ts";
import type { RouterOptions } from "./router_options.ts";

/** What {@link RemoteGroups} is made of. */
export interface RemoteGroupsOptions extends
  Pick<
    RouterOptions,
    "serverName" | "backplane" | "clock" | "logger" | "groupAckTimeout" | "maximumNameBytes"
  > {
  readonly channels: HubChannels;
  readonly groups: Groups;
  readonly connections: ReadonlyMap<string, Recipient>;
}

/**
 * Changes the groups of any connection, wherever it is: here directly, elsewhere by a command that
 * its node acknowledges. `specs/signalr-redis.md §6`.
 *
 * A command that is not acknowledged is given again every second: it or its acknowledgement may be lost
 * while the bus goes and comes, and to do it twice is to do it once, unless the connection's own node has
 * undone it meanwhile.
 *
 * A connection that closed here within `groupAckTimeout` is remembered, so that changing its groups
 * resolves without effect instead of asking around for it.
 */
export class RemoteGroups {
  readonly #options: RemoteGroupsOptions;
  readonly #acks: Acks;
  /**
   * The commands without an acknowledgement, in the order in which they were given; of those for the
   * same connection and group only the last of one kind, which undo what those before did.
   */
  readonly #unanswered = new Map<string, GivenCommand[]>();
  /** Ids of connections that closed here, and when; oldest first. */
  readonly #closed = new Map<string, number>();
  #ended: Error | undefined;

  constructor(options: RemoteGroupsOptions) {
    this.#options = options;
    this.#acks = new Acks(options.clock, options.groupAckTimeout);
  }

  /**
   * Adds a connection to a group; resolves when messages published to the group from then on reach it.
   *
   * @throws {HubError} if the group's name is empty or too long, or the id cannot be one.
   * @throws {GroupAckTimeoutError} if no node answers for it.
   * @throws {BackplaneError} if the bus fails while it is needed.
   */
  add(connectionId: string, group: string): Promise<void> {
    return handled(this.#add(connectionId, group));
  }

  /** Removes a connection from a group; no error if it is no member. Throws as {@link add}. */
  remove(connectionId: string, group: string): Promise<void> {
    return handled(this.#remove(connectionId, group));
  }

  async #add(connectionId: string, group: string): Promise<void> {
    checkName("group", group, this.#options.maximumNameBytes);
    const recipient = this.#options.connections.get(connectionId);
    if (recipient !== undefined) await this.#join(recipient, group);
    else if (!this.#closed.has(connectionId)) {
      await this.#command(GroupAction.Add, connectionId, group);
    }
  }

  async #remove(connectionId: string, group: string): Promise<void> {
    checkName("group", group, this.#options.maximumNameBytes);
    const recipient = this.#options.connections.get(connectionId);
    if (recipient !== undefined) this.#options.groups.leave(recipient, group);
    else if (!this.#closed.has(connectionId)) {
      await this.#command(GroupAction.Remove, connectionId, group);
    }
  }

  /** Takes a connection out of every group at once; it stays known. */
  leaveAll(recipient: Recipient): void {
    this.#options.groups.leaveAll(recipient);
  }

  /** A connection has closed here. */
  forget(recipient: Recipient): void {
    this.leaveAll(recipient);
    this.#closed.set(recipient.id, this.#options.clock.now());
  }

  /** Acts on another node's command if it is about a connection of ours. */
  receiveCommand(payload: Uint8Array): void {
    const command = readGroupCommand(payload);
    const recipient = this.#options.connections.get(command.connectionId);
    if (recipient === undefined) {
      if (this.#closed.has(command.connectionId)) this.#acknowledge(command);
      return;
    }
    const joining = command.action === GroupAction.Add
      ? this.#join(recipient, command.group)
      : Promise.resolve();
    if (command.action === GroupAction.Remove) {
      this.#options.groups.leave(recipient, command.group);
    }
    joining.then(() => this.#acknowledge(command), (error) => {
      // Unacknowledged, the sender learns of it at its timeout.
      this.#options.logger.error("Cannot add to a group for another node:", error);
    });
  }

  /** Another node has done what we asked for. */
  receiveAck(payload: Uint8Array): void {
    this.#acks.complete(readAck(payload));
  }

  /** Gives unacknowledged commands again; forgets connections that closed long enough ago. */
  sweep(): void {
    const { backplane, channels, clock } = this.#options;
    const now = clock.now();
    for (const commands of this.#unanswered.values()) {
      for (const { command, givenAt } of commands) {
        if (now - givenAt < PATIENCE) continue;
        // If the bus is away, the next time or the timeout will do.
        backplane.publish(channels.groupCommands, writeGroupCommand(command)).catch(() => {});
      }
    }
    const due = now - this.#options.groupAckTimeout;
    for (const [id, closedAt] of this.#closed) {
      if (closedAt > due) return;
      this.#closed.delete(id);
    }
  }

  /** Rejects what is not acknowledged yet, and every later command. */
  close(): void {
    this.#ended = new GroupAckTimeoutError("Cannot change groups: the server is closed");
    this.#acks.close(this.#ended);
  }

  async #join(recipient: Recipient, group: string): Promise<void> {
    try {
      await this.#options.groups.join(recipient, group);
    } catch (error) {
      // A connection that closed meanwhile has left anyway.
      if (this.#options.connections.get(recipient.id) === recipient) throw error;
    }
  }

  async #command(action: number, connectionId: string, group: string): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    checkConnectionId(connectionId);
    const { backplane, channels, clock, serverName, groupAckTimeout } = this.#options;
    const verb = action === GroupAction.Add ? "add to" : "remove from";
    const { id, acknowledged } = this.#acks.expect(() =>
      new GroupAckTimeoutError(
        `Cannot ${verb} group ${JSON.stringify(group)}: no node answered for connection ` +
          `${JSON.stringify(connectionId)} within ${groupAckTimeout} ms`,
      )
    );
    const command = { id, serverName, action, group, connectionId };
    const answered = this.#keep({ command, givenAt: clock.now() });
    backplane.publish(channels.groupCommands, writeGroupCommand(command))
      .catch((error) => this.#acks.fail(id, error));
    try {
      await acknowledged;
    } finally {
      answered();
    }
  }

  /** Keeps a command to be given again, until what this returns is called. */
  #keep(given: GivenCommand): () => void {
    const { connectionId, group, action } = given.command;
    const key = JSON.stringify([connectionId, group]);
    const before = this.#unanswered.get(key);
    const same = before !== undefined && before[0]?.command.action === action ? before : [];
    same.push(given);
    this.#unanswered.delete(key);
    this.#unanswered.set(key, same);
    return () => {
      same.splice(same.indexOf(given), 1);
      if (same.length === 0 && this.#unanswered.get(key) === same) this.#unanswered.delete(key);
    };
  }

  #acknowledge(command: GroupCommand): void {
    const { backplane, channels, logger } = this.#options;
    backplane.publish(channels.ack(command.serverName), writeAck(command.id)).catch((error) => {
      logger.warn("Cannot acknowledge a group command:", error);
    });
  }
}

/** A command, and when it was given first. */
interface GivenCommand {
  readonly command: GroupCommand;
  readonly givenAt: number;
}

/** How long an acknowledgement may take before its command is given again, in milliseconds. */
const PATIENCE = 1000;

/** What no connection id is longer than, in UTF-16 units: upstream's have 22. */
const LONGEST_ID = 256;

/** Ids may come from clients, who send what they like. */
function checkConnectionId(id: unknown): void {
  if (typeof id === "string" && id !== "" && id.length <= LONGEST_ID && id.isWellFormed()) return;
  throw new HubError("Cannot use connection id: it is no text of 1 to 256 characters");
}

/** Whoever does not await it must not be ended by an unhandled rejection. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
