import { GroupAction, type GroupCommand } from "../bus/envelope.ts";
import type { ChannelRules } from "../bus/channel.ts";
import type { HubBus } from "../bus/hub_bus.ts";
import type { NodeContext } from "../bus/node_context.ts";
import { Questions } from "../bus/questions.ts";
import type { Recipient } from "../bus/recipient.ts";
import { GroupAckTimeoutError } from "../definition/errors.ts";
import type { ResolvedRoutingOptions } from "../options/routing.ts";
import type { Directory } from "./directory.ts";
import { checkConnectionId, checkName } from "./names.ts";

/** A command of this node. */
type Change = Omit<GroupCommand, "serverName">;

/** A command, and when it was given first. */
interface GivenCommand {
  readonly command: Change;
  readonly givenAt: number;
}

const GROUP: ChannelRules = { heedsExclusions: true };

/** How long an acknowledgement may take before its command is given again, in milliseconds. */
const RESEND_INTERVAL = 1000;

/**
 * Changes the groups of any connection: here directly, elsewhere by a command that the node of the
 * connection acknowledges. `specs/signalr-redis.md §6`.
 *
 * A command that is not acknowledged is given again every second: it or its acknowledgement may be lost
 * while the bus goes and comes, and to do it twice is to do it once, unless the connection's own node has
 * undone it meanwhile.
 *
 * A connection that closed here within `groupAckTimeout` is remembered, so that changing its groups
 * resolves without effect instead of asking around for it.
 */
export class GroupCommands {
  readonly #bus: HubBus;
  readonly #directory: Directory;
  readonly #context: NodeContext<ResolvedRoutingOptions>;
  readonly #acks: Questions<number, void>;
  #lastId = 0;
  /**
   * The commands without an acknowledgement, in the order in which they were given. Of the commands for
   * one connection and group only the last ones of one kind are here: they undo those before.
   */
  readonly #unanswered = new Map<string, Set<GivenCommand>>();
  /** Ids of connections that closed here, and when; the oldest first. */
  readonly #closed = new Map<string, number>();
  #ended: Error | undefined;

  constructor(bus: HubBus, directory: Directory, context: NodeContext<ResolvedRoutingOptions>) {
    this.#bus = bus;
    this.#directory = directory;
    this.#context = context;
    this.#acks = new Questions(context.clock);
  }

  /**
   * Adds a connection to a group; resolves when messages published to the group from then on reach it.
   *
   * @throws {HubError} if the name of the group or the id cannot be one.
   * @throws {GroupAckTimeoutError} if no node answers for the connection.
   * @throws {BackplaneError} if the bus fails while it is needed.
   */
  add(connectionId: string, group: string): Promise<void> {
    return handled(this.#change(GroupAction.Add, connectionId, group));
  }

  /** Removes a connection from a group; it may be no member. Throws as {@link add}. */
  remove(connectionId: string, group: string): Promise<void> {
    return handled(this.#change(GroupAction.Remove, connectionId, group));
  }

  /** Takes a connection out of every group at once; it stays known. */
  leaveAll(recipient: Recipient): void {
    this.#directory.leaveGroups(recipient);
  }

  /** A connection has closed here. */
  forget(connectionId: string): void {
    this.#closed.set(connectionId, this.#context.clock.now());
  }

  /** Carries out a command of another node if it is about a connection of this one. */
  carryOut(command: GroupCommand): void {
    const recipient = this.#directory.get(command.connectionId);
    if (recipient === undefined) {
      if (this.#closed.has(command.connectionId)) this.#bus.acknowledge(command);
      return;
    }
    this.#changeHere(command.action, recipient, command.group).then(
      () => this.#bus.acknowledge(command),
      // The sender learns of it when the acknowledgement does not come.
      (error) => this.#context.logger.error("Cannot add to a group for another node:", error),
    );
  }

  /** Another node has carried out a command. */
  acknowledged(id: number): void {
    this.#acks.settle(id, undefined);
  }

  /** Gives unacknowledged commands again; forgets connections that closed long enough ago. */
  sweep(): void {
    const now = this.#context.clock.now();
    for (const commands of this.#unanswered.values()) {
      for (const { command, givenAt } of commands) {
        if (now - givenAt < RESEND_INTERVAL) continue;
        // If the bus is away, the next time or the timeout will do.
        this.#bus.command(command).catch(() => {});
      }
    }
    const due = now - this.#context.options.groupAckTimeout;
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

  async #change(action: number, connectionId: string, group: string): Promise<void> {
    checkName("group", group, this.#context.options.maximumNameBytes);
    const recipient = this.#directory.get(connectionId);
    if (recipient !== undefined) await this.#changeHere(action, recipient, group);
    else if (!this.#closed.has(connectionId)) await this.#command(action, connectionId, group);
  }

  async #changeHere(action: number, recipient: Recipient, group: string): Promise<void> {
    const channel = this.#bus.names.group(group);
    if (action === GroupAction.Remove) return this.#directory.leave(recipient, channel);
    if (action !== GroupAction.Add) return;
    try {
      await this.#directory.join(recipient, channel, GROUP);
    } catch (error) {
      // A connection that closed meanwhile has left anyway.
      if (this.#directory.has(recipient)) throw error;
    }
  }

  async #command(action: number, connectionId: string, group: string): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    checkConnectionId(connectionId);
    const { clock, options } = this.#context;
    const timeout = options.groupAckTimeout;
    // An int32 between nodes: start again rather than overflow.
    const id = this.#lastId = this.#lastId === 0x7fffffff ? 1 : this.#lastId + 1;
    const acknowledged = this.#acks.ask(id, {
      timeout,
      late: () => unacknowledged(action, connectionId, group, timeout),
    });
    const command: Change = { id, action, group, connectionId };
    const answered = this.#keep({ command, givenAt: clock.now() });
    this.#bus.command(command).catch((error) => this.#acks.settle(id, error));
    try {
      await acknowledged;
    } finally {
      answered();
    }
  }

  /** Keeps a command to be given again, until the returned function is called. */
  #keep(given: GivenCommand): () => void {
    const { connectionId, group, action } = given.command;
    const key = JSON.stringify([connectionId, group]);
    const before = this.#unanswered.get(key);
    const [latest] = before ?? [];
    const same = latest?.command.action === action && before || new Set<GivenCommand>();
    same.add(given);
    this.#unanswered.delete(key);
    this.#unanswered.set(key, same);
    return () => {
      same.delete(given);
      if (same.size === 0 && this.#unanswered.get(key) === same) this.#unanswered.delete(key);
    };
  }
}

function unacknowledged(
  action: number,
  connectionId: string,
  group: string,
  timeout: number,
): GroupAckTimeoutError {
  const verb = action === GroupAction.Add ? "add to" : "remove from";
  return new GroupAckTimeoutError(
    `Cannot ${verb} group ${JSON.stringify(group)}: no node answered for connection ` +
      `${JSON.stringify(connectionId)} within ${timeout} ms`,
  );
}

/** A promise that nobody awaits must not end the process with an unhandled rejection. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
