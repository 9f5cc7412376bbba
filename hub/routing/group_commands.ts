import { type Acknowledgement, GroupAction, type GroupCommand } from "../bus/envelope.ts";
import type { ChannelRules } from "../bus/channel.ts";
import type { HubBus } from "../bus/hub_bus.ts";
import type { NodeContext } from "../bus/node_context.ts";
import type { Recipient } from "../bus/recipient.ts";
import { GroupAckTimeoutError, HubError } from "../definition/errors.ts";
import type { ResolvedRoutingOptions } from "../options/routing.ts";
import { type ConnectionBudget, limitReached } from "../scheduling/budget.ts";
import { Sweep } from "../scheduling/sweep.ts";
import type { Acknowledgements, AwaitedCommand } from "./acknowledgements.ts";
import { type CarriedCommand, CarriedCommands } from "./carried_commands.ts";
import type { Directory } from "./directory.ts";
import { ExpiringMap } from "./expiring_map.ts";
import { checkConnectionId, checkName } from "./names.ts";
import { type OwnCommand, UnansweredCommands } from "./unanswered_commands.ts";

/** The connection whose call changes a group. */
export interface Caller {
  readonly budget: ConnectionBudget;
}

/** The channel of a group. */
export const GROUP: ChannelRules = { heedsExclusions: true };

/** How long an acknowledgement may take before its command is given again, in milliseconds. */
const RESEND_INTERVAL = 1000;

/**
 * Changes the groups of any connection: here directly, elsewhere by a command that the node of the
 * connection acknowledges. `specs/signalr-redis.md §6`.
 *
 * - **Repetition**: a command may be lost while the bus goes and comes. So commands are given again every
 *   second for `groupAckTimeout` after the bus has come back, and at no other time.
 * - **Identity**: the node of the connection carries out a command once, however often it is given.
 * - **Deadline**: an `add` that has failed has no effect later. Its node withdraws it, and the node of the
 *   connection undoes what comes too late.
 *
 * A connection that closed here within `groupAckTimeout` is remembered, so that changing its groups
 * resolves without effect instead of asking around for it.
 */
export class GroupCommands {
  readonly #bus: HubBus;
  readonly #directory: Directory;
  readonly #context: NodeContext<ResolvedRoutingOptions>;
  readonly #acks: Acknowledgements;
  readonly #unanswered = new UnansweredCommands();
  readonly #carried: CarriedCommands;
  /** The ids of connections that closed here. */
  readonly #closed: ExpiringMap<true>;
  readonly #repetition: Sweep<OwnCommand>;
  /** Until when commands are given again. */
  #repeatUntil = -Infinity;
  #ended: Error | undefined;

  constructor(
    bus: HubBus,
    directory: Directory,
    acks: Acknowledgements,
    context: NodeContext<ResolvedRoutingOptions>,
  ) {
    this.#bus = bus;
    this.#directory = directory;
    this.#acks = acks;
    this.#context = context;
    const { groupAckTimeout } = context.options;
    this.#closed = new ExpiringMap(context, groupAckTimeout);
    this.#carried = new CarriedCommands(context, groupAckTimeout);
    const due = { [Symbol.iterator]: () => this.#due() };
    this.#repetition = new Sweep(context, due, (command) => {
      // If the bus is away again, the next time or the timeout will do.
      this.#bus.command(command).catch(() => {});
    });
  }

  /**
   * Changes a group of a connection; an `Add` resolves when messages published to the group from then on
   * reach it. `caller` is charged while another node is asked.
   *
   * @throws {HubError} if the name of the group or the id cannot be one, or a limit is reached.
   * @throws {GroupAckTimeoutError} if no node answers for the connection.
   * @throws {BackplaneError} if the bus fails while it is needed.
   */
  async change(
    action: number,
    connectionId: string,
    group: string,
    caller?: Caller,
  ): Promise<void> {
    checkName("group", group, this.#context.options.maximumNameBytes);
    const recipient = this.#directory.get(connectionId);
    if (recipient !== undefined) {
      this.#carried.overrule({ connectionId, group });
      await this.#changeHere(action, recipient, group);
    } else if (!this.#closed.has(connectionId)) {
      checkConnectionId(connectionId);
      await this.#changeElsewhere(action, connectionId, group, caller);
    }
  }

  /** Takes a closed connection out of every group; it stays known. */
  leaveAll(recipient: Recipient): void {
    this.#directory.leaveGroups(recipient);
  }

  /** A connection has closed here. */
  forget(connectionId: string): void {
    this.#closed.set(connectionId, true);
  }

  /** Carries out a command of another node if it is about a connection of this one. */
  carryOut(command: GroupCommand): void {
    const { connectionId, action, serverName, id } = command;
    const recipient = this.#directory.get(connectionId);
    if (recipient === undefined) {
      if (this.#closed.has(connectionId)) this.#bus.acknowledge(serverName, id);
      return;
    }
    const known = command.timeout === undefined ? undefined : this.#carried.known(command);
    if (known === undefined) {
      if (action === GroupAction.Withdraw) this.#carried.withdrawn(command);
      else this.#carry(command, recipient);
    } else if (action === GroupAction.Withdraw) {
      if (known.id === id) this.#undo(command, recipient, known);
    } else if (known.id > id || known.done) {
      this.#bus.acknowledge(serverName, id);
    }
  }

  /** Another node has dealt with a command. */
  acknowledged({ id, error }: Acknowledgement): void {
    if (error !== undefined) return this.#acks.settle({ id, error });
    for (const answered of this.#unanswered.answeredBy(id)) {
      this.#acks.settle({ id: answered, error });
    }
  }

  /** The bus is back: commands may have been lost. */
  recovered(): void {
    this.#repeatUntil = this.#context.clock.now() + this.#context.options.groupAckTimeout;
  }

  /** Does what is due. Called by the heartbeat. */
  sweep(): void {
    this.#closed.sweep();
    this.#carried.sweep();
    if (this.#context.clock.now() <= this.#repeatUntil) this.#repetition.begin();
  }

  /** Rejects every later command. */
  close(error: Error): void {
    this.#ended = error;
  }

  #due(): Iterator<OwnCommand> {
    return this.#unanswered.givenUntil(this.#context.clock.now() - RESEND_INTERVAL);
  }

  /** Returns nothing if the change is made, else a promise; throws or rejects as {@link change}. */
  #changeHere(action: number, recipient: Recipient, group: string): Promise<void> | undefined {
    const channel = this.#bus.names.group(group);
    if (action === GroupAction.Remove) this.#directory.leave(recipient, channel);
    if (action !== GroupAction.Add) return undefined;
    const { maximumGroupsPerConnection: most } = this.#context.options;
    if (
      this.#directory.groups(recipient) >= most && !this.#directory.isMember(recipient, channel)
    ) throw limitReached({ most, things: "groups", option: "maximumGroupsPerConnection" });
    return this.#directory.join(recipient, channel, GROUP)?.catch((error) => {
      // A connection that closed meanwhile has left anyway.
      if (this.#directory.has(recipient)) throw error;
    });
  }

  async #changeElsewhere(
    action: number,
    connectionId: string,
    group: string,
    caller: Caller | undefined,
  ): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    const { maximumGroupCommands: most, groupAckTimeout: timeout } = this.#context.options;
    if (this.#unanswered.size >= most) {
      throw new HubError(
        `A node has at most ${most} changes of groups under way (maximumGroupCommands).`,
      );
    }
    if (caller?.budget.take("commands") === false) throw caller.budget.exceeded("commands");
    const command = { id: this.#acks.next(), action, group, connectionId, timeout };
    this.#unanswered.add(command, this.#context.clock.now());
    try {
      await this.#command(command);
    } finally {
      this.#unanswered.delete(command);
      caller?.budget.give("commands");
    }
  }

  async #command(command: AwaitedCommand): Promise<void> {
    const { id, action } = command;
    const acknowledged = this.#acks.wait(command);
    this.#bus.command(command).catch((error) => this.#acks.fail(id, error));
    try {
      await acknowledged;
    } catch (error) {
      if (error instanceof GroupAckTimeoutError && action === GroupAction.Add) {
        this.#bus.command({ ...command, action: GroupAction.Withdraw }).catch(() => {});
      }
      throw error;
    }
  }

  async #carry(command: GroupCommand, recipient: Recipient): Promise<void> {
    const { action, group, serverName, id, timeout } = command;
    const isMember = this.#directory.isMember(recipient, this.#bus.names.group(group));
    let carried: CarriedCommand | undefined;
    // A .NET node neither repeats nor withdraws its commands, and reads no error.
    if (timeout === undefined) this.#carried.overrule(command);
    else carried = this.#carried.begin(command, timeout, isMember);
    try {
      checkName("group", group, this.#context.options.maximumNameBytes);
      await this.#changeHere(action, recipient, group);
      if (carried && this.#context.clock.now() > carried.deadline) {
        return this.#undo(command, recipient, carried);
      }
      if (carried) carried.done = true;
      this.#bus.acknowledge(serverName, id);
    } catch (error) {
      const text = "Cannot change a group for another node:";
      const kind = `${text} ${serverName}`;
      if (error instanceof HubError) {
        this.#context.limitedLog.log("warn", kind, `${text} ${error.message}`);
        if (carried) this.#bus.acknowledge(serverName, id, error.message);
        // The sender learns of any other error when the acknowledgement does not come.
      } else this.#context.limitedLog.log("error", kind, text, error);
    }
  }

  #undo(command: GroupCommand, recipient: Recipient, carried: CarriedCommand): void {
    if (!this.#carried.undo(command, carried)) return;
    this.#directory.leave(recipient, this.#bus.names.group(command.group));
  }
}
