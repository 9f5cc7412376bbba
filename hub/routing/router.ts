import type { Recipient } from "../bus/recipient.ts";
import { HubBus } from "../bus/hub_bus.ts";
import type { NodeContext } from "../bus/node_context.ts";
import { writeTo } from "../bus/write_to.ts";
import type { ResolvedRoutingOptions } from "../options/routing.ts";
import { SerializedInvocation } from "../protocol/serialized_invocation.ts";
import { ClientResults } from "./client_results.ts";
import { Directory, PERMANENT } from "./directory.ts";
import { GroupCommands } from "./group_commands.ts";
import { checkName } from "./names.ts";

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
  readonly #bus: HubBus;
  readonly #directory: Directory;
  readonly #maximumNameBytes: number;
  readonly #logger: Pick<Console, "error">;

  constructor(hub: string, context: NodeContext<ResolvedRoutingOptions>) {
    this.#maximumNameBytes = context.options.maximumNameBytes;
    this.#logger = context.logger;
    this.#bus = new HubBus(hub, context, {
      commanded: (command) => this.groups.carryOut(command),
      acknowledged: (id) => this.groups.acknowledged(id),
      asked: (recipient, question) => this.results.forward(recipient, question),
      answered: (answer) => this.results.answered(answer),
    });
    this.#directory = new Directory(this.#bus.channels, (id) => this.#bus.names.connection(id));
    this.groups = new GroupCommands(this.#bus, this.#directory, context);
    this.results = new ClientResults(this.#bus, this.#directory, context);
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
    const asUser = userId === undefined ? undefined : this.#joinUser(recipient, userId);
    // Clients are admitted while the bus is away; it confirms their channels before it is open again.
    if (status !== "open") return undefined;
    return asUser === undefined
      ? asItself?.catch(() => {})
      : Promise.allSettled([asItself, asUser]);
  }

  #joinUser(recipient: Recipient, userId: string): Promise<void> | undefined {
    try {
      return this.#directory.join(recipient, this.#bus.names.user(userId), PERMANENT);
    } catch (error) {
      // The id came from the application, not from the client: the client is served without it.
      this.#logger.error(`Messages to user ${JSON.stringify(userId)} do not arrive:`, error);
      return undefined;
    }
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
   * resolves when the bus has accepted the message; there is none if nothing goes to the bus.
   *
   * @throws {HubError} if the name of a group or user cannot be one.
   * @throws {TypeError} if an argument cannot be serialised.
   */
  send(target: Target, method: string, args: readonly unknown[]): Promise<void> | undefined {
    const channels = this.#channelsOf(target);
    const message = new SerializedInvocation(method, args);
    const { names, excluded } = target;
    const published = this.#bus.publish(channels, message, excluded);
    let local = 0;
    if (target.kind === "connections") {
      local = writeTo(names.flatMap((id) => this.#directory.get(id) ?? []), message);
    } else {
      for (const channel of channels) local += writeTo(this.#audience(channel), message, excluded);
    }
    return this.#bus.outcome(published, local);
  }

  /** Does what is due. Called by the heartbeat. */
  sweep(): void {
    this.#bus.channels.sweep();
    this.groups.sweep();
  }

  /** Ends what waits for other nodes. */
  close(): void {
    this.#bus.close();
    this.groups.close();
    this.results.close();
  }

  #audience(channel: string): Iterable<Recipient> {
    const { names, channels } = this.#bus;
    return channel === names.all ? this.#directory : channels.audience(channel);
  }

  /** The channels on which a message reaches its target on other nodes. */
  #channelsOf({ kind, names }: Target): readonly string[] {
    const channels = this.#bus.names;
    switch (kind) {
      case "all":
        return [channels.all];
      case "connections": {
        const elsewhere = names.filter((id) => this.#directory.get(id) === undefined);
        return elsewhere.map((id) => channels.connection(id));
      }
      case "groups":
        for (const name of names) checkName("group", name, this.#maximumNameBytes);
        return names.map((name) => channels.group(name));
      case "users":
        for (const id of names) checkName("user", id, this.#maximumNameBytes);
        return names.map((id) => channels.user(id));
    }
  }
}
