import type { BackplaneStatus } from "../../backplanes/backplane.ts";
import { BackplaneError } from "../../backplanes/errors.ts";
import type { TextOrBytes } from "../protocol/frame.ts";
import type { SerializedInvocation } from "../protocol/serialized_invocation.ts";
import { HubChannels } from "./channel_names.ts";
import { Channels, type ChannelsOptions, type ReceivedInvocation } from "./channels.ts";
import { untilConfirmed } from "./confirmed.ts";
import {
  type Acknowledgement,
  type CompletionEnvelope,
  type GroupCommand,
  type InvocationEnvelope,
  type Question,
  readAck,
  readCompletion,
  readGroupCommand,
  readInvocation,
  writeAck,
  writeCompletion,
  writeGroupCommand,
  writeInvocation,
} from "./envelope.ts";
import type { NodeContext } from "./node_context.ts";
import { PublishOutcomes } from "./publish_outcomes.ts";
import type { Recipient } from "./recipient.ts";
import { writeTo } from "./write_to.ts";

/** Takes what other nodes ask of this one. */
export interface BusListener {
  /** The groups of a connection are to be changed. */
  commanded(command: GroupCommand): void;
  /** Another node has carried out a command of this node, or has asked a client for it. */
  acknowledged(acknowledgement: Acknowledgement): void;
  /** A client is asked for a result; `recipient` is `undefined` if it has gone. */
  asked(recipient: Recipient | undefined, message: InvocationEnvelope, question: Question): void;
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

/** The bus between the nodes of one hub: the one writer and the one reader of envelopes. */
export class HubBus {
  readonly names: HubChannels;
  readonly channels: Channels;
  readonly #context: NodeContext<ChannelsOptions>;
  readonly #listener: BusListener;
  readonly #outcomes: PublishOutcomes;
  readonly #status: Disposable;
  #openings = 0;

  constructor(hub: string, context: NodeContext<ChannelsOptions>, listener: BusListener) {
    this.names = new HubChannels(hub);
    this.channels = new Channels(context, this.#received);
    this.#context = context;
    this.#listener = listener;
    this.#outcomes = new PublishOutcomes(context);
    this.#status = context.backplane.onStatus(({ status }) => {
      if (status !== "open") return;
      this.#openings++;
      this.#outcomes.recovered();
      listener.recovered();
    });
  }

  get status(): BackplaneStatus {
    return this.#context.backplane.status;
  }

  /** How often the bus has opened, or messages may have been lost. */
  get openings(): number {
    return this.#openings;
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
      backplane.subscribe(names.all, (payload) => this.#received(payload, everybody, true)),
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

  /** Hands a message to the bus before it returns; {@link outcome} tells whether the bus accepts it. */
  publish(
    names: readonly string[],
    message: SerializedInvocation,
    excluded: readonly string[] = NOBODY,
  ): readonly Promise<unknown>[] {
    const [name] = names;
    if (name === undefined) return NOBODY;
    const payload = writeInvocation(message, excluded, this.#context.serverName);
    if (names.length === 1) return [this.#hand(name, payload)];
    // The first publish may cause other payloads to be written to the same memory.
    const copy = payload.slice();
    return names.map((name) => this.#hand(name, copy));
  }

  /** As {@link PublishOutcomes.of}; `local` counts the connections of this node that have the message. */
  outcome(published: readonly Promise<unknown>[], local: number): Promise<void> | undefined {
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
    const payload = writeInvocation(message, NOBODY, serverName, { ...question, returnChannel });
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

  /** Tells the node `serverName` what became of its command, or that its question has been asked. */
  acknowledge(serverName: string, id: number, error?: string): void {
    this.#hand(this.names.ack(serverName), writeAck({ id, error })).catch((error) => {
      this.#warn("Cannot acknowledge what another node asked for:", error);
    });
  }

  /** Stops waiting. The backplane is closed by the server. */
  close(): void {
    this.#status[Symbol.dispose]();
    this.channels.close();
  }

  /** The one reader of invocations. A property, so that no frame stands between a channel and it. */
  readonly #received: ReceivedInvocation = (payload, audience, heedsExclusions = false) => {
    try {
      const message = readInvocation(payload);
      // The members here were served when this node sent it.
      if (message.origin === this.#context.serverName) return;
      if (message.question !== undefined) {
        // A question comes on the channel of one connection.
        const [recipient] = audience;
        return this.#listener.asked(recipient, message, message.question);
      }
      writeTo(audience, message.frames, heedsExclusions ? message.excluded : NOBODY);
    } catch (error) {
      this.#warn("Ignored a message from another node:", error);
    }
  };

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
