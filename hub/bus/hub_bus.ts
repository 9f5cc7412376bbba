import type { BackplaneStatus } from "../../backplanes/backplane.ts";
import { BackplaneError } from "../../backplanes/errors.ts";
import type { TextOrBytes } from "../protocol/frame.ts";
import type { SerializedInvocation } from "../protocol/serialized_invocation.ts";
import { HubChannels } from "./channel_names.ts";
import type { Channels } from "./channels.ts";
import type { OutgoingOptions } from "./backlog.ts";
import { untilConfirmed } from "./confirmed.ts";
import {
  type Acknowledgement,
  type CompletionEnvelope,
  type GroupCommand,
  readAck,
  readCompletion,
  readGroupCommand,
  writeAck,
  writeCompletion,
  writeGroupCommand,
} from "./envelope.ts";
import { Incoming, type IncomingListener, type IncomingOptions } from "./incoming.ts";
import { type Question, writeQuestion } from "./invocation.ts";
import type { Knocker } from "./knocker.ts";
import type { HeardChannel } from "./heard_channel.ts";
import { MoveBus } from "./move_bus.ts";
import type { MovedMembers } from "./moved_members.ts";
import type { NodeContext } from "./node_context.ts";
import { Numbering } from "./numbering.ts";
import { Outgoing } from "./outgoing.ts";
import { type Published, PublishOutcomes } from "./publish_outcomes.ts";
import type { Recipient } from "./recipient.ts";

/** Takes what other nodes ask of this one. */
export interface BusListener extends IncomingListener {
  /** The groups of a connection are to be changed. */
  commanded(command: GroupCommand): void;
  /** Another node has carried out a command of this node. */
  acknowledged(acknowledgement: Acknowledgement): void;
  /** A client on another node has answered. */
  answered(answer: CompletionEnvelope): void;
  /** The bus is back after it was away, or messages of other nodes may have been lost. */
  recovered(): void;
}

const NOBODY: readonly never[] = [];

/** Throws an error also where a driver has rejected with something else. */
function throwError(error: unknown): never {
  throw error instanceof Error ? error : new BackplaneError(String(error));
}

/** The options that a hub's bus reads. */
export interface HubBusOptions extends IncomingOptions, OutgoingOptions {}

/** The bus between the nodes of one hub: the one writer and the one reader of envelopes. */
export class HubBus {
  readonly names: HubChannels;
  /** Says and hears what is said about connections that move. */
  readonly moves: MoveBus;
  readonly #context: NodeContext<HubBusOptions>;
  readonly #listener: BusListener;
  readonly #outcomes: PublishOutcomes;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #status: Disposable;

  constructor(hub: string, context: NodeContext<HubBusOptions>, listener: BusListener) {
    this.names = new HubChannels(hub);
    this.moves = new MoveBus(this.names, context);
    this.#context = context;
    this.#listener = listener;
    this.#outcomes = new PublishOutcomes(context);
    const numbering = new Numbering(context.options.repairBufferBytes);
    this.#outgoing = new Outgoing(context, numbering);
    this.#incoming = new Incoming(
      this.names,
      context,
      numbering,
      listener,
      () => this.#outgoing.waits,
    );
    this.#status = context.backplane.onStatus(({ status }) => {
      if (status === "closed") this.#outgoing.close();
      if (status !== "open") return;
      this.#outcomes.recovered();
      this.#outgoing.opened();
      context.cluster.sign();
      listener.recovered();
    });
  }

  /** The channels that this node listens to for its connections. */
  get channels(): Channels {
    return this.#incoming.channels;
  }

  /** Asks for connections of other nodes. */
  get knocker(): Knocker {
    return this.#incoming.knocker;
  }

  /** The members that leave for another node, and those that come from one. */
  get moved(): MovedMembers {
    return this.#incoming.moved;
  }

  /** The channel for everybody, once the hub has started. */
  get all(): HeardChannel | undefined {
    return this.#incoming.all;
  }

  get status(): BackplaneStatus {
    return this.#context.backplane.status;
  }

  /**
   * Subscribes the channels that every node needs; resolves when the bus has confirmed them and is
   * `open`, however long that takes. Messages for everybody go to `everybody`.
   *
   * @throws {BackplaneClosedError} when the backplane is closed.
   */
  async start(everybody: Iterable<Recipient>): Promise<void> {
    const { backplane, serverName } = this.#context;
    const { names } = this;
    const listener = this.#listener;
    const wanted = [
      this.#incoming.listen(everybody),
      backplane.subscribe(names.groupCommands, (payload) => {
        this.#read("group command", () => listener.commanded(readGroupCommand(payload)));
      }),
      backplane.subscribe(names.ack(serverName), (payload) => {
        this.#read("acknowledgement", () => listener.acknowledged(readAck(payload)));
      }),
      backplane.subscribe(names.results(serverName), (payload) => {
        this.#read("client result", () => listener.answered(readCompletion(payload)));
      }),
    ];
    await untilConfirmed(backplane, wanted);
  }

  /** As {@link Outgoing.publish}; {@link outcome} tells whether the bus accepts the message. */
  publish(
    names: readonly string[],
    message: SerializedInvocation,
    excluded: readonly string[] = NOBODY,
  ): readonly Published[] {
    return this.#outgoing.publish(names, message, excluded);
  }

  /** As {@link PublishOutcomes.of}; `local` counts the connections of this node that have the message. */
  outcome(published: readonly Published[], local: number): Promise<void> | undefined {
    return this.#outcomes.of(published, local > 0);
  }

  /**
   * Asks the client of a connection on another node; the answer comes to {@link BusListener.answered}.
   * Resolves with how many nodes have heard the question, if the bus can tell.
   *
   * @throws {BackplaneError} if the bus does not take the question.
   */
  ask(
    connectionId: string,
    message: SerializedInvocation,
    question: Omit<Question, "returnChannel">,
  ): Promise<number | undefined> {
    const { serverName } = this.#context;
    const returnChannel = this.names.results(serverName);
    const payload = writeQuestion(message, serverName, { ...question, returnChannel });
    return this.#hand(this.names.connection(connectionId), payload, true).catch(throwError);
  }

  /** Hands the answer of a client to the node that asked; `frame` is in the hub protocol `protocol`. */
  answer(returnChannel: string, protocol: string, frame: TextOrBytes): void {
    this.#hand(returnChannel, writeCompletion(protocol, frame)).catch((error) => {
      this.#warn("Cannot hand a client result back to its node:", error);
    });
  }

  /** Asks the node that has the connection to change its groups. */
  command(command: Omit<GroupCommand, "serverName">): Promise<unknown> {
    const { serverName } = this.#context;
    const payload = writeGroupCommand({ ...command, serverName });
    return this.#hand(this.names.groupCommands, payload).catch(throwError);
  }

  /** Tells the node `serverName` what became of its command. */
  acknowledge(serverName: string, id: number, error?: string): void {
    this.#hand(this.names.ack(serverName), writeAck({ id, error })).catch((error) => {
      this.#warn("Cannot acknowledge what another node asked for:", error);
    });
  }

  /** Does what is due. Called by the heartbeat. */
  sweep(): void {
    this.#incoming.sweep();
  }

  /** Stops waiting. The backplane is closed by the server. */
  close(): void {
    this.#status[Symbol.dispose]();
    this.moves.close();
    this.#outgoing.close();
    this.#incoming.close();
  }

  #read(what: string, handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#warn(`Ignored a ${what} from another node:`, error);
    }
  }

  /** Every message of another node may cause an entry: one a minute is enough. */
  #warn(text: string, error: unknown): void {
    this.#context.limitedLog.log("warn", text, text, error);
  }

  /** A driver that throws, or returns no promise, would keep the message from the members here. */
  #hand(channel: string, payload: Uint8Array, counted = false): Promise<number | undefined> {
    try {
      return Promise.resolve(this.#context.backplane.publish(channel, payload, counted));
    } catch (error) {
      return Promise.reject(error);
    }
  }
}
