import type { Backplane } from "../../backplanes/backplane.ts";
import { BackplaneClosedError } from "../../backplanes/errors.ts";
import type { Clock } from "../clock.ts";
import { SerializedInvocation } from "../protocol/serialized_invocation.ts";
import { HubChannels } from "../bus/channel_names.ts";
import { ClientResults } from "./client_results.ts";
import { type InvocationEnvelope, readInvocation } from "../bus/envelope.ts";
import { Groups } from "./local_groups.ts";
import { Interest } from "../bus/channel.ts";
import { deliver, Members } from "./named_sets.ts";
import { checkName } from "./names.ts";
import { Publisher } from "../bus/publisher.ts";
import type { Recipient } from "./recipient.ts";
import { RemoteGroups } from "./group_commands.ts";
import type { RouterOptions } from "./router_options.ts";

/** The pause after a base channel was refused, in milliseconds. */
const RETRY_DELAY = 1000;

const NOBODY: readonly never[] = [];

/**
 * Brings one hub's messages to connections on this node and, through the backplane, on others.
 *
 * A message goes to the bus, whose way is the longer one, and then to members on this node; what the bus
 * hands back of our own is dropped by its origin. A message for one connection that is here never touches the bus.
 *
 * Every `send…` has delivered and published when it returns its promise, which resolves when the bus
 * has accepted everything; it returns none if nothing goes to the bus. What cannot be sent at all, it throws.
 */
export class Router {
  readonly groups: RemoteGroups;
  readonly results: ClientResults;
  readonly #backplane: Backplane;
  readonly #clock: Clock;
  readonly #serverName: string;
  readonly #maximumNameBytes: number;
  readonly #logger: RouterOptions["logger"];
  readonly #publisher: Publisher;
  readonly #channels: HubChannels;
  readonly #interest: Interest;
  readonly #groups: Groups;
  readonly #connections = new Map<string, Recipient>();
  readonly #users = new Members();
  readonly #userOf = new Map<Recipient, string>();
  readonly #status: Disposable;

  constructor(options: RouterOptions) {
    const { backplane, serverName, logger } = options;
    this.#backplane = backplane;
    this.#clock = options.clock;
    this.#serverName = serverName;
    this.#maximumNameBytes = options.maximumNameBytes;
    this.#logger = logger;
    this.#publisher = new Publisher(backplane, serverName, logger);
    this.#channels = new HubChannels(options.hub);
    this.#interest = new Interest(options);
    this.#groups = new Groups(
      this.#channels,
      this.#interest,
      (group, payload) =>
        this.#receive(payload, (m) => this.#deliverAll(this.#groups.of(group), m)),
    );
    const own = { ...options, channels: this.#channels, connections: this.#connections };
    this.groups = new RemoteGroups({ ...own, groups: this.#groups });
    this.results = new ClientResults(own);
    this.#status = backplane.onStatus(({ status }) => {
      if (status !== "open") return;
      this.#publisher.recovered();
      this.#interest.retry();
    });
  }

  /**
   * Resolves when the channels that every node needs are subscribed and the backplane is `open`,
   * however long that takes.
   *
   * @throws {BackplaneClosedError} when the backplane is closed.
   */
  async start(): Promise<void> {
    const groups = this.groups;
    const wanted: readonly [string, (payload: Uint8Array) => void][] = [
      [this.#channels.all, (payload) => {
        this.#receive(payload, (message) => this.#deliverAll(this.#connections.values(), message));
      }],
      [
        this.#channels.groupCommands,
        (payload) => this.#read(() => groups.receiveCommand(payload)),
      ],
      [
        this.#channels.ack(this.#serverName),
        (payload) => this.#read(() => groups.receiveAck(payload)),
      ],
      [
        this.#channels.results(this.#serverName),
        (payload) => this.#read(() => this.results.receive(payload)),
      ],
    ];
    while (true) {
      try {
        await Promise.all(wanted.map(([channel, deliver]) => this.#keep(channel, deliver)));
        // A driver with two connections may hear before it can speak.
        if (this.#backplane.status === "open") return;
      } catch (error) {
        if (this.#backplane.status === "closed") throw error;
      }
      if (this.#backplane.status === "closed") {
        throw new BackplaneClosedError("Cannot start hub: the backplane is closed");
      }
      await this.#nextAttempt();
    }
  }

  /**
   * Makes a connection reachable; resolves when it is reachable from every node that the bus reaches, and
   * returns nothing when there is nothing to wait for. It cannot reject.
   */
  connect(recipient: Recipient, userId?: string): Promise<unknown> | undefined {
    const asItself = this.#keepConnection(recipient);
    const asUser = userId === undefined ? undefined : this.#keepUser(userId, recipient);
    // Clients are admitted while the bus is away; what it did not confirm is asked for again.
    if (this.#backplane.status !== "open") return undefined;
    return asUser === undefined ? asItself?.catch(ignore) : Promise.allSettled([asItself, asUser]);
  }

  /** Forgets a connection: its groups, its user, itself. */
  disconnect(recipient: Recipient): void {
    if (this.#connections.get(recipient.id) !== recipient) return;
    this.#connections.delete(recipient.id);
    this.groups.forget(recipient);
    this.results.abandon(recipient.id);
    this.#interest.release(this.#channels.connection(recipient.id));
    const userId = this.#userOf.get(recipient);
    if (userId === undefined) return;
    this.#userOf.delete(recipient);
    if (this.#users.remove(userId, recipient)) {
      this.#interest.release(this.#channels.user(userId));
    }
  }

  /** To everyone but the excluded. */
  sendAll(
    method: string,
    args: readonly unknown[],
    excluded: readonly string[] = NOBODY,
  ): Promise<void> {
    const message = new SerializedInvocation(method, args);
    const published = this.#publisher.publish(this.#channels.all, message, excluded);
    const local = deliver(this.#connections.values(), message, excluded);
    return this.#publisher.outcome(published, local);
  }

  /** To the members of a group but the excluded. */
  sendGroup(
    group: string,
    method: string,
    args: readonly unknown[],
    excluded: readonly string[] = NOBODY,
  ): Promise<void> {
    checkName("group", group, this.#maximumNameBytes);
    const message = new SerializedInvocation(method, args);
    const published = this.#publisher.publish(this.#channels.group(group), message, excluded);
    const local = deliver(this.#groups.of(group), message, excluded);
    return this.#publisher.outcome(published, local);
  }

  /** To the members of each group; who is in two of them gets two copies. */
  sendGroups(
    groups: readonly string[],
    method: string,
    args: readonly unknown[],
  ): Promise<void> | undefined {
    for (const group of groups) checkName("group", group, this.#maximumNameBytes);
    const message = new SerializedInvocation(method, args);
    const channels = groups.map((group) => this.#channels.group(group));
    const published = this.#publisher.publishAll(channels, message);
    let local = 0;
    for (const group of groups) local += deliver(this.#groups.of(group), message);
    return this.#publisher.outcomes(published, local);
  }

  /** To every connection of each user. */
  sendUsers(
    ids: readonly string[],
    method: string,
    args: readonly unknown[],
  ): Promise<void> | undefined {
    for (const id of ids) checkName("user", id, this.#maximumNameBytes);
    const message = new SerializedInvocation(method, args);
    const channels = ids.map((id) => this.#channels.user(id));
    const published = this.#publisher.publishAll(channels, message);
    let local = 0;
    for (const id of ids) local += deliver(this.#users.of(id), message);
    return this.#publisher.outcomes(published, local);
  }

  /** To one connection: if it is here, it never touches the bus; none of that id is no error. */
  sendConnection(id: string, method: string, args: readonly unknown[]): Promise<void> | undefined {
    const message = new SerializedInvocation(method, args);
    const recipient = this.#connections.get(id);
    if (recipient === undefined) {
      const published = this.#publisher.publish(this.#channels.connection(id), message);
      return this.#publisher.outcome(published, 0);
    }
    deliver([recipient], message);
    return undefined;
  }

  /** As {@link sendConnection}, to each. */
  sendConnections(
    ids: readonly string[],
    method: string,
    args: readonly unknown[],
  ): Promise<void> | undefined {
    const message = new SerializedInvocation(method, args);
    const here: Recipient[] = [];
    const elsewhere: string[] = [];
    for (const id of ids) {
      const recipient = this.#connections.get(id);
      if (recipient === undefined) elsewhere.push(this.#channels.connection(id));
      else here.push(recipient);
    }
    const published = this.#publisher.publishAll(elsewhere, message);
    return this.#publisher.outcomes(published, deliver(here, message));
  }

  /** Gives up channels that nobody has needed for a while. Called by the heartbeat. */
  sweep(): void {
    this.#interest.sweep();
    this.groups.sweep();
    this.results.sweep();
  }

  /** Ends what waits for other nodes. */
  close(): void {
    this.#status[Symbol.dispose]();
    this.groups.close();
    this.results.close();
  }

  /** Waits for the bus to come or go, or a little while, whichever is first. */
  async #nextAttempt(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const listening = this.#backplane.onStatus(({ status }) => {
      if (status === "open" || status === "closed") resolve();
    });
    const timer = this.#clock.after(RETRY_DELAY, resolve);
    await promise;
    listening[Symbol.dispose]();
    timer[Symbol.dispose]();
  }

  #keepConnection(recipient: Recipient): Promise<void> | undefined {
    this.#connections.set(recipient.id, recipient);
    return this.#keep(
      this.#channels.connection(recipient.id),
      (payload) => this.#receive(payload, (m) => this.results.forward(recipient, m)),
    );
  }

  #keepUser(userId: string, recipient: Recipient): Promise<void> | undefined {
    this.#userOf.set(recipient, userId);
    this.#users.add(userId, recipient);
    return this.#keep(this.#channels.user(userId), (payload) => {
      this.#receive(payload, (m) => this.#deliverAll(this.#users.of(userId), m, []));
    });
  }

  #keep(channel: string, deliver: (payload: Uint8Array) => void): Promise<void> | undefined {
    return this.#interest.acquire(channel, { deliver, kept: true });
  }

  #deliverAll(
    recipients: Iterable<Recipient>,
    message: InvocationEnvelope,
    excluded = message.excluded,
  ): void {
    deliver(recipients, message.frames, excluded);
  }

  #receive(payload: Uint8Array, handle: (message: InvocationEnvelope) => void): void {
    this.#read(() => {
      const message = readInvocation(payload);
      // Members here were served when it was sent.
      if (message.origin !== this.#serverName) handle(message);
    });
  }

  #read(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#logger.warn("Ignored a message from another node:", error);
    }
  }
}

/** What was not confirmed is asked for again. */
function ignore(): void {}
