import type { CompletionEnvelope } from "../bus/envelope.ts";
import type { InvocationEnvelope, Question } from "../bus/invocation.ts";
import type { HubBus } from "../bus/hub_bus.ts";
import type { NodeContext } from "../bus/node_context.ts";
import { Questions } from "../bus/questions.ts";
import type { Recipient } from "../bus/recipient.ts";
import { writeTo } from "../bus/write_to.ts";
import type { InvokeOptions } from "../definition/clients.ts";
import { HubError } from "../definition/errors.ts";
import type { SendingOptions } from "../options/routing.ts";
import { type CompletionMessage, MessageType } from "../protocol/messages.ts";
import { findProtocol } from "../protocol/protocols.ts";
import { SerializedInvocation } from "../protocol/serialized_invocation.ts";
import { AskedQuestions } from "./asked_questions.ts";
import * as errors from "./client_result_errors.ts";
import type { Directory } from "./directory.ts";
import { checkConnectionId } from "./names.ts";
import type { WatchedConnections } from "./watched_connections.ts";

/** After how many timeouts of this node a .NET node, which does not tell its own, has given up its question. */
const FORGET_FACTOR = 10;

/** A client never answered another node, which has given up its question. */
const FORGOTTEN = new HubError("The client did not answer another node.");

/** A question of this node. */
interface OwnQuestion {
  readonly connectionId: string;
  readonly invocationId: string;
  readonly timeout: number;
  /** Whether the bus has counted a node that heard the question, or the connection is here. */
  heard: boolean;
}

/**
 * Results that the server asks of clients, here or on another node. `specs/signalr-redis.md §7`.
 *
 * A call fails at once when its connection goes. While a call waits for a connection of another node, that
 * connection is watched: the call fails when its node dies, or when no node has the connection.
 */
export class ClientResults {
  readonly #bus: HubBus;
  readonly #directory: Directory;
  readonly #context: NodeContext<SendingOptions>;
  /** The questions of this node, and those that it has handed on to its clients. */
  readonly #questions: Questions<string, CompletionMessage>;
  readonly #asked: AskedQuestions;
  readonly #watched: WatchedConnections;

  constructor(
    bus: HubBus,
    directory: Directory,
    watched: WatchedConnections,
    context: NodeContext<SendingOptions>,
  ) {
    this.#bus = bus;
    this.#directory = directory;
    this.#watched = watched;
    this.#context = context;
    this.#questions = new Questions(context);
    this.#asked = new AskedQuestions(context);
  }

  /**
   * Calls a method of one client and resolves with what it returns.
   *
   * @throws {TypeError} if an argument cannot be serialised.
   * @throws {RangeError} if `timeout` is out of its range, or the message is too large.
   * @throws {HubError} with the client's error, if the call was cancelled or took too long, if the id
   * cannot be one, or if too many results of the client are pending.
   * @throws {ClientConnectionError} if the connection does not exist or goes.
   * @throws {BackplaneError} if the bus fails while it is needed.
   */
  async invoke(
    connectionId: string,
    method: string,
    args: readonly unknown[],
    options: InvokeOptions = {},
  ): Promise<unknown> {
    const { timeout = this.#context.options.clientResultTimeout, signal } = options;
    errors.checkTimeout(timeout);
    if (signal?.aborted) throw new HubError(errors.CANCELED);
    const recipient = this.#directory.get(connectionId);
    if (recipient === undefined) checkConnectionId(connectionId);
    if (this.#isFull(connectionId)) throw errors.tooMany(this.#most);
    // Unlike the ids that a client gives its streams.
    const invocationId = crypto.randomUUID().replaceAll("-", "");
    const { maximumSendMessageSize } = this.#context.options;
    const message = new SerializedInvocation(method, args, invocationId, maximumSendMessageSize);
    message.prepare(recipient?.protocol);
    // The connection is ending, and known until the hub has dealt with that; nobody will answer.
    if (recipient?.isClosed) throw errors.gone(connectionId);
    const heard = recipient !== undefined;
    const question: OwnQuestion = { connectionId, invocationId, timeout, heard };
    const watched = heard ? undefined : this.#watched.begin(connectionId);
    const late = () =>
      question.heard || watched !== undefined && this.#watched.mayExist(watched)
        ? new HubError(`The client did not answer within ${timeout} ms.`)
        : errors.nobody(connectionId);
    const answer = this.#questions.ask(invocationId, { connectionId, timeout, late });
    const cancel = () => this.#questions.settle(invocationId, new HubError(errors.CANCELED));
    signal?.addEventListener("abort", cancel, { once: true });
    if (recipient === undefined) this.#askElsewhere(question, message);
    else writeTo([recipient], message);
    try {
      return errors.resultOf(await answer);
    } finally {
      signal?.removeEventListener("abort", cancel);
      if (watched !== undefined) this.#watched.end(watched);
    }
  }

  /**
   * A client of this node has answered. An unknown id is ignored: the call may have been given up.
   *
   * @throws {WrongConnectionError} if another client was asked.
   */
  complete(connectionId: string, answer: CompletionMessage): void {
    const id = answer.invocationId;
    const asked = this.#questions.connectionOf(id);
    if (asked === undefined) return;
    if (asked !== connectionId) throw new errors.WrongConnectionError(connectionId, id);
    this.#questions.settle(id, answer);
  }

  /** Whether a client of this node is asked for a result. */
  isAsked(connectionId: string): boolean {
    return this.#questions.pending(connectionId) > 0;
  }

  /** A connection of this node is gone: nobody will answer. */
  abandon(connectionId: string): void {
    // Every connection ends, and an error takes microseconds to make.
    if (this.#questions.pending(connectionId) === 0) return;
    this.#questions.abandon(connectionId, errors.gone(connectionId));
  }

  /** No living node has a connection; `found` says whether a node has had the connection. */
  lost(connectionId: string, found: boolean): void {
    const error = found ? errors.gone(connectionId) : errors.nobody(connectionId);
    this.#questions.abandon(connectionId, error);
  }

  /** Another node asks a client of this one: hands the question on, and the answer back. */
  forward(
    recipient: Recipient | undefined,
    { frames, origin }: InvocationEnvelope,
    { invocationId, returnChannel, timeout }: Question,
  ): void {
    // A .NET node asks once, on one bus.
    if (origin !== undefined && this.#asked.isCopy(invocationId)) return;
    const protocol = recipient?.protocol || "json";
    const answer = (outcome: CompletionMessage | Error) =>
      this.#answer(returnChannel, protocol, invocationId, outcome);
    // The client has gone while the question was on its way.
    if (recipient === undefined || recipient.isClosed) return answer(errors.gone(""));
    const { id } = recipient;
    if (this.#isFull(id)) {
      const error = errors.tooMany(this.#most).message;
      return answer({ type: MessageType.Completion, invocationId, error });
    }
    const terms = {
      connectionId: id,
      timeout: timeout ?? FORGET_FACTOR * this.#context.options.clientResultTimeout,
      late: () => FORGOTTEN,
    };
    this.#questions.expect(invocationId, terms, (outcome) => {
      if (outcome !== FORGOTTEN) answer(outcome);
    });
    writeTo([recipient], frames);
  }

  /** Another node hands the answer of its client back. */
  answered({ protocol: name, frame }: CompletionEnvelope): void {
    const protocol = findProtocol(name);
    if (protocol === undefined) {
      const text = `Ignored a client result in the unknown protocol '${name}'`;
      return this.#context.limitedLog.log("warn", "client result in an unknown protocol", text);
    }
    const reader = protocol.reader(null);
    reader.push(frame);
    const record = reader.read();
    const answer = record === undefined ? undefined : protocol.parse(record);
    if (answer?.type !== MessageType.Completion) return;
    const id = answer.invocationId;
    // The asker is told which connection it was; the other node does not say that.
    const outcome = answer.error === errors.DISCONNECTED
      ? errors.gone(this.#questions.connectionOf(id) ?? "")
      : answer;
    this.#questions.settle(id, outcome);
  }

  /** Forgets what is due. Called by the heartbeat. */
  sweep(): void {
    this.#asked.sweep();
  }

  /** Rejects everything that waits. */
  close(): void {
    this.#questions.close(new HubError(errors.CANCELED));
  }

  get #most(): number {
    return this.#context.options.maximumPendingResultsPerConnection;
  }

  /** Whether as many results of a client are pending as may be. */
  #isFull(connectionId: string): boolean {
    return this.#questions.pending(connectionId) >= this.#most;
  }

  #askElsewhere(question: OwnQuestion, message: SerializedInvocation): void {
    const { connectionId, invocationId, timeout } = question;
    this.#bus.ask(connectionId, message, { invocationId, timeout }).then(
      (nodes) => {
        question.heard = nodes !== undefined;
        if (nodes === 0) this.#questions.settle(invocationId, errors.nobody(connectionId));
      },
      (error) => this.#questions.settle(invocationId, error),
    );
  }

  #answer(
    returnChannel: string,
    protocolName: string,
    invocationId: string,
    outcome: CompletionMessage | Error,
  ): void {
    const protocol = findProtocol(protocolName);
    if (protocol === undefined) return;
    const answer: CompletionMessage = outcome instanceof Error
      ? { type: MessageType.Completion, invocationId, error: errors.DISCONNECTED }
      : outcome;
    // The record of the client stays as it is, with values that JavaScript cannot hold.
    const frame = answer.record === undefined
      ? protocol.write(answer)
      : protocol.frame(answer.record);
    this.#bus.answer(returnChannel, protocolName, frame);
  }
}
