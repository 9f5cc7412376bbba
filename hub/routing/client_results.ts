import type { CompletionEnvelope, InvocationEnvelope } from "../bus/envelope.ts";
import type { HubBus } from "../bus/hub_bus.ts";
import type { NodeContext } from "../bus/node_context.ts";
import { Questions } from "../bus/questions.ts";
import type { Recipient } from "../bus/recipient.ts";
import { writeTo } from "../bus/write_to.ts";
import type { InvokeOptions } from "../definition/clients.ts";
import { ClientConnectionError, HubError } from "../definition/errors.ts";
import type { SendingOptions } from "../options/routing.ts";
import { type CompletionMessage, MessageType } from "../protocol/messages.ts";
import { UnreadableValue } from "../protocol/pack/values.ts";
import { findProtocol } from "../protocol/protocols.ts";
import { SerializedInvocation } from "../protocol/serialized_invocation.ts";
import type { Directory } from "./directory.ts";

/** After how many timeouts of this node another node has certainly given up its question. */
const FORGET_FACTOR = 10;

/**
 * Results that the server asks of clients, here or on another node. `specs/signalr-redis.md §7`.
 *
 * A call fails at once when its connection goes, and at its timeout when the connection's node dies.
 */
export class ClientResults {
  readonly #bus: HubBus;
  readonly #directory: Directory;
  readonly #context: NodeContext<SendingOptions>;
  /** The questions of this node, and those that it has handed on to its clients. */
  readonly #questions: Questions<string, CompletionMessage>;

  constructor(bus: HubBus, directory: Directory, context: NodeContext<SendingOptions>) {
    this.#bus = bus;
    this.#directory = directory;
    this.#context = context;
    this.#questions = new Questions(context.clock);
  }

  /**
   * Calls a method of one client and resolves with what it returns.
   *
   * @throws {TypeError} if an argument cannot be serialised.
   * @throws {RangeError} if `timeout` is out of its range, or the message is too large.
   * @throws {HubError} with the client's error, or if it was cancelled or took too long.
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
    checkTimeout(timeout);
    if (signal?.aborted) throw new HubError(CANCELED);
    // Unlike the ids that a client gives its streams.
    const id = crypto.randomUUID().replaceAll("-", "");
    const { maximumSendMessageSize } = this.#context.options;
    const message = new SerializedInvocation(method, args, id, maximumSendMessageSize);
    message.prepare(this.#directory.get(connectionId)?.protocol);
    let exists = true;
    const late = () =>
      exists
        ? new HubError(`The client did not answer within ${timeout} ms.`)
        : nobody(connectionId);
    const answer = this.#questions.ask(id, { connectionId, timeout, late });
    const cancel = () => this.#questions.settle(id, new HubError(CANCELED));
    signal?.addEventListener("abort", cancel, { once: true });
    this.#ask(connectionId, id, message).then(
      (known) => exists = known,
      (error) => this.#questions.settle(id, error),
    );
    try {
      return resultOf(await answer);
    } finally {
      signal?.removeEventListener("abort", cancel);
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
    if (asked !== connectionId) throw new WrongConnectionError(connectionId, id);
    this.#questions.settle(id, answer);
  }

  /** A connection of this node is gone: nobody will answer. */
  abandon(connectionId: string): void {
    this.#questions.abandon(connectionId, gone(connectionId));
  }

  /** Another node asks a client of this one: hands the question on, and the answer back. */
  forward(recipient: Recipient | undefined, question: InvocationEnvelope): void {
    const { invocationId, returnChannel } = question;
    if (invocationId === undefined || returnChannel === undefined) return;
    const protocol = recipient?.protocol || "json";
    if (recipient === undefined || recipient.isClosed) {
      // The client has gone while the question was on its way.
      return this.#answer(returnChannel, protocol, invocationId, gone(""));
    }
    const terms = {
      connectionId: recipient.id,
      timeout: FORGET_FACTOR * this.#context.options.clientResultTimeout,
      late: () => FORGOTTEN,
    };
    this.#questions.expect(invocationId, terms, (outcome) => {
      if (outcome !== FORGOTTEN) this.#answer(returnChannel, protocol, invocationId, outcome);
    });
    writeTo([recipient], question.frames);
  }

  /** Another node hands the answer of its client back. */
  answered({ protocol: name, frame }: CompletionEnvelope): void {
    const protocol = findProtocol(name);
    if (protocol === undefined) {
      const { logger } = this.#context;
      return logger.warn(`Ignored a client result in the unknown protocol '${name}'`);
    }
    const reader = protocol.reader(null);
    reader.push(frame);
    const record = reader.read();
    const answer = record === undefined ? undefined : protocol.parse(record);
    if (answer?.type !== MessageType.Completion) return;
    const id = answer.invocationId;
    // The asker is told which connection it was; the other node does not say that.
    const outcome = answer.error === DISCONNECTED
      ? gone(this.#questions.connectionOf(id) ?? "")
      : answer;
    this.#questions.settle(id, outcome);
  }

  /** Rejects everything that waits. */
  close(): void {
    this.#questions.close(new HubError(CANCELED));
  }

  /** Resolves with whether the connection is known to exist. */
  async #ask(
    connectionId: string,
    invocationId: string,
    message: SerializedInvocation,
  ): Promise<boolean> {
    const recipient = this.#directory.get(connectionId);
    if (recipient !== undefined) {
      // The connection is ending, and known until the hub has dealt with that; nobody will answer.
      if (recipient.isClosed) throw gone(connectionId);
      writeTo([recipient], message);
      return true;
    }
    const receivers = await this.#bus.ask(connectionId, message, invocationId);
    if (receivers === 0) throw nobody(connectionId);
    // Where the bus cannot tell, the timeout will.
    return receivers !== undefined;
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
      ? { type: MessageType.Completion, invocationId, error: DISCONNECTED }
      : outcome;
    // The record of the client stays as it is, with values that JavaScript cannot hold.
    const frame = answer.record === undefined
      ? protocol.write(answer)
      : protocol.frame(answer.record);
    this.#bus.answer(returnChannel, protocolName, frame);
  }
}

function nobody(connectionId: string): ClientConnectionError {
  return new ClientConnectionError(`Connection '${connectionId}' does not exist.`);
}

function gone(connectionId: string): ClientConnectionError {
  return new ClientConnectionError(`Connection '${connectionId}' disconnected.`);
}

function checkTimeout(timeout: number): void {
  if (Number.isInteger(timeout) && timeout >= 1 && timeout <= 0x7fffffff) return;
  throw new RangeError(
    `Cannot use timeout: ${timeout} is not an integer between 1 and 2147483647`,
  );
}

const CANCELED = "Invocation canceled by the server.";
/** A client never answered another node, which has given up its question. */
const FORGOTTEN = new HubError("The client did not answer another node.");
/** The error between nodes when a connection has gone before it has answered. */
const DISCONNECTED = "Connection disconnected.";

/** A client answered for another one; upstream's words and name. */
class WrongConnectionError extends Error {
  constructor(connectionId: string, invocationId: string) {
    super(`Connection ID '${connectionId}' is not valid for invocation ID '${invocationId}'.`);
    this.name = "InvalidOperationException";
  }
}

function resultOf(answer: CompletionMessage): unknown {
  if (answer.error !== undefined) throw new HubError(answer.error);
  if (!Object.hasOwn(answer, "result")) {
    throw new HubError("The client completed without a result.");
  }
  const { result } = answer;
  if (!(result instanceof UnreadableValue)) return result;
  throw new HubError("Error trying to deserialize result.", { cause: result.cause });
}
