import type { Recipient } from "../bus/recipient.ts";
import { HubBus } from "../bus/hub_bus.ts";
import type { NodeContext } from "../bus/node_context.ts";
import { writeTo } from "../bus/write_to.ts";
import type { SendingOptions } from "../options/routing.ts";
import { GroupAckTimeoutError } from "../definition/errors.ts";
import { SerializedInvocation } from "../protocol/serialized_invocation.ts";
import { ClientResults } from "./client_results.ts";
import { untilMostAreWritable } from "./congestion.ts";
import { Directory, PERMANENT } from "./directory.ts";
import { GroupCommands } from "./group_commands.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { RecentNames } from "./recent_names.ts";
import { checkConnectionId, checkConnectionIds, checkLongestChannel, checkName } from "./names.ts";
import { RoutedMoves } from "./routed_moves.ts";
import { UnheardFailures } from "./unheard_failures.ts";
import { WatchedConnections } from "./watched_connections.ts";

/** The connections that a message is for. */
export interface Target {
  readonly kind: "all" | "groups" | "users" | "connections";
  /** Groups, users or connections; empty for `all`. */
  readonly names: readonly string[];
  /** Ids of connections that do not get the message; only of `all` and groups. */
  readonly excluded: readonly string[];
}

/**
 * Brings the messages of one hub to connections on this node and, over the bus, on others. It knows
 * which channels a group, a user and a connection have.
 *
 * A message goes to the bus, whose way is the longer one, and then to the members on this node. A
 * message for one connection that is here never touches the bus.
 */
export class Router {
  readonly groups: GroupCommands;
  readonly results: ClientResults;
  readonly moves: RoutedMoves;
  readonly unheard: UnheardFailures;
  readonly #acks: Acknowledgements;
  readonly #bus: HubBus;
  readonly #directory: Directory;
  readonly #watched: WatchedConnections;
  /** The channels of connections of other nodes. */
  readonly #names: RecentNames;
  readonly #maximumBytes: number;
  readonly #maximumNameBytes: number;

  constructor(hub: string, context: NodeContext<SendingOptions>) {
    this.#maximumNameBytes = context.options.maximumNameBytes;
    this.#maximumBytes = context.options.maximumSendMessageSize;
    this.#bus = new HubBus(hub, context, {
      commanded: (command) => this.groups.carryOut(command),
      acknowledged: (acknowledgement) => this.groups.acknowledged(acknowledgement),
      asked: (recipient, message, question) => this.results.forward(recipient, message, question),
      answered: (answer) => this.results.answered(answer),
      here: ({ id, node }) => this.#watched.here(id, node),
      moving: (message) => this.#bus.moves.receive(message),
      ended: (node) => this.#watched.ended(node),
      recovered: () => {
        this.groups.recovered();
        this.#watched.recovered();
      },
    });
    const { channels, knocker, names } = this.#bus;
    checkLongestChannel(names, this.#maximumNameBytes);
    this.#names = new RecentNames((id) => {
      checkConnectionId(id);
      return names.connection(id);
    });
    this.unheard = new UnheardFailures(context);
    this.#directory = new Directory(channels, context, (id) => names.connection(id));
    this.#watched = new WatchedConnections(knocker, context, (connectionId, found) => {
      this.#acks.lost(connectionId);
      this.results.lost(connectionId, found);
    });
    this.#acks = new Acknowledgements(context, this.#watched);
    this.groups = new GroupCommands(this.#bus, this.#directory, this.#acks, context);
    this.moves = new RoutedMoves(this.#bus, this.#directory, this.#maximumNameBytes);
    this.results = new ClientResults(this.#bus, this.#directory, this.#watched, context);
  }

  /** As {@link HubBus.start}. */
  start(): Promise<void> {
    return this.#bus.start(this.#directory);
  }

  /**
   * Makes a connection reachable; resolves when it is reachable from every node that the bus reaches, or
   * the wait for that is over, and returns nothing when there is nothing to wait for. The promise cannot
   * reject.
   */
  connect(recipient: Recipient, userId?: string): Promise<unknown> | undefined {
    const { status } = this.#bus;
    const asItself = this.#directory.add(recipient);
    // `authenticate` has returned an id that is the name of a channel.
    const asUser = userId === undefined
      ? undefined
      : this.#directory.join(recipient, this.#bus.names.user(userId), PERMANENT);
    // Clients are admitted while the bus is away; it confirms their channels before it is open again.
    if (status !== "open") return undefined;
    return asUser === undefined
      ? asItself?.catch(() => {})
      : Promise.allSettled([asItself, asUser]);
  }

  /** Forgets a connection: its groups, its user, itself. */
  disconnect(recipient: Recipient): void {
    if (!this.#directory.has(recipient)) return;
    this.#directory.delete(recipient);
    this.groups.forget(recipient.id);
    this.results.abandon(recipient.id);
  }

  /**
   * Serialises a message, hands it to the bus and delivers it here before it returns. The promise
   * resolves when the bus has accepted the message, and most of the clients here can take another; there
   * is no promise if there is nothing to wait for.
   *
   * @throws {HubError} if the name of a group or user, or the id of a connection, cannot be one.
   * @throws {TypeError} if an argument cannot be serialised.
   * @throws {RangeError} if the message is larger than `maximumSendMessageSize`.
   */
  send(target: Target, method: string, args: readonly unknown[]): Promise<void> | undefined {
    const { channels, here } = this.#find(target);
    checkConnectionIds(target.excluded);
    const message = new SerializedInvocation(method, args, undefined, this.#maximumBytes);
    // The bus takes every protocol; else no recipient may have a message that is too large for another.
    if (channels.length === 0) {
      for (const recipients of here) {
        for (const { protocol } of recipients) message.prepare(protocol);
      }
    }
    const published = this.#bus.publish(channels, message, target.excluded);
    const congested: Recipient[] = [];
    let local = 0;
    for (const recipients of here) {
      local += writeTo(recipients, message, target.excluded, congested);
    }
    const accepted = this.#bus.outcome(published, local);
    if (congested.length === 0) return accepted;
    const writable = untilMostAreWritable(congested, local);
    return accepted && writable
      ? Promise.all([accepted, writable]).then(() => {})
      : accepted ?? writable;
  }

  /** Does what is due. Called by the heartbeat. */
  sweep(): void {
    this.#bus.sweep();
    this.groups.sweep();
    this.results.sweep();
  }

  /** Ends what waits for other nodes. */
  close(): void {
    this.#bus.close();
    this.#watched.close();
    const error = new GroupAckTimeoutError("Cannot change groups: the server is closed");
    this.groups.close(error);
    this.results.close();
    this.#acks.close(error);
  }

  /** The channels on which a message reaches its target on other nodes, and the target here. */
  #find({ kind, names }: Target): { channels: string[]; here: Iterable<Recipient>[] } {
    const { names: channelNames, channels: known } = this.#bus;
    if (kind === "all") return { channels: [channelNames.all], here: [this.#directory] };
    const channels: string[] = [];
    if (kind === "connections") {
      const here: Recipient[] = [];
      for (const id of names) {
        const recipient = this.#directory.get(id);
        if (recipient !== undefined) here.push(recipient);
        else channels.push(this.#names.of(id));
      }
      return { channels, here: [here] };
    }
    for (const name of names) {
      checkName(kind === "groups" ? "group" : "user", name, this.#maximumNameBytes);
      channels.push(kind === "groups" ? channelNames.group(name) : channelNames.user(name));
    }
    return { channels, here: channels.map((channel) => known.audience(channel)) };
  }
}
