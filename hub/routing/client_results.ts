import type { Backplane } from "../../backplanes/backplane.ts";
import type { Clock } from "../clock.ts";
import { ClientConnectionError, HubError } from "../definition/errors.ts";
import { type CompletionMessage, MessageType } from "../protocol/messages.ts";
import { UnreadableValue } from "../protocol/pack/values.ts";
import type { HubProtocol } from "../protocol/protocol.ts";
import { SerializedInvocation } from "../protocol/serialized_invocation.ts";
import type { HubChannels } from "../bus/channel_names.ts";
import {
  type InvocationEnvelope,
  readCompletion,
  writeCompletion,
  writeInvocation,
} from "../bus/envelope.ts";
import { deliver } from "./named_sets.ts";
import type { Recipient } from "./recipient.ts";

/** How long to wait for a client's result, and who may give up earlier. */
export interface InvokeOptions {
  /**
   * How long the client may take, in milliseconds, 1 to 2,147,483,647.
   *
   * @default {30000}
   */
  readonly timeout?: number;
  /** Gives up early; the promise rejects with `Invocation canceled by the server.` */
  readonly signal?: AbortSignal;
}

/** What {@link ClientResults} is made of. */
export interface ClientResultsOptions {
  readonly serverName: string;
  readonly backplane: Backplane;
  readonly clock: Clock;
  readonly logger: Pick<Console, "warn">;
  readonly clientResultTimeout: number;
  readonly channels: HubChannels;
  readonly connections: ReadonlyMap<string, Recipient>;
  readonly protocols: readonly HubProtocol[];
}

/** After how many of our own timeouts another node has certainly given up. */
const FORGET_FACTOR = 10;

/** A client whose answer is awaited. */
interface Pending {
  readonly connectionId: string;
  /** When another node asked; absent if this one did, which has a timer. */
  readonly forwardedAt?: number;
  /** Takes the client's answer, or the error why there will be none. */
  settle(answer: CompletionMessage | Error): void;
}

/**
 * Results that the server asks of clients, here or on another node. `specs/signalr-redis.md §7`.
 *
 * A call fails at once when its connection goes, and at its timeout when the connection's node dies.
 */
export class ClientResults {
  readonly #options: ClientResultsOptions;
  readonly #pending = new Map<string, Pending>();

  constructor(options: ClientResultsOptions) {
    this.#options = options;
  }

  /**
   * Calls a method of one client and resolves with what it returns.
   *
   * @throws {TypeError} if an argument cannot be serialised.
   * @throws {RangeError} if `timeout` is out of its range.
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
    const { timeout = this.#options.clientResultTimeout, signal } = options;
    checkTimeout(timeout);
    if (signal?.aborted) throw new HubError(CANCELED);
    const invocationId = randomInvocationId();
    const message = new SerializedInvocation(method, args, invocationId);
    const { promise, resolve, reject } = Promise.withResolvers<CompletionMessage>();
    this.#pending.set(invocationId, {
      connectionId,
      settle: (answer) => answer instanceof Error ? reject(answer) : resolve(answer),
    });
    let exists = true;
    const timer = this.#options.clock.after(timeout, () => {
      reject(
        exists
          ? new HubError(`The client did not answer within ${timeout} ms.`)
          : nobody(connectionId),
      );
    });
    const cancel = () => reject(new HubError(CANCELED));
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      this.#ask(connectionId, invocationId, message).then((known) => exists = known, reject);
      return resultOf(await promise);
    } finally {
      timer[Symbol.dispose]();
      signal?.removeEventListener("abort", cancel);
      this.#pending.delete(invocationId);
    }
  }

  /**
   * A client has answered. An unknown id is ignored: the call may have been given up.
   *
   * @throws {WrongConnectionError} if another client was asked.
   */
  complete(connectionId: string, answer: CompletionMessage): void {
    const pending = this.#pending.get(answer.invocationId);
    if (pending === undefined) return;
    if (pending.connectionId !== connectionId) {
      throw new WrongConnectionError(connectionId, answer.invocationId);
    }
    pending.settle(answer);
  }

  /** A connection of this node is gone: nobody will answer. */
  abandon(connectionId: string): void {
    for (const [id, pending] of this.#pending) {
      if (pending.connectionId !== connectionId) continue;
      this.#pending.delete(id);
      pending.settle(gone(connectionId));
    }
  }

  /** Another node asks a client of ours: hands the question on, and the answer back. */
  forward(recipient: Recipient, message: InvocationEnvelope): void {
    const { invocationId, returnChannel } = message;
    if (invocationId !== undefined && returnChannel !== undefined) {
      this.#pending.set(invocationId, {
        connectionId: recipient.id,
        forwardedAt: this.#options.clock.now(),
        settle: (answer) => {
          this.#pending.delete(invocationId);
          this.#answer(
            recipient,
            returnChannel,
            answer instanceof Error
              ? { type: MessageType.Completion, invocationId, error: DISCONNECTED }
              : answer,
          );
        },
      });
    }
    if (this.#options.connections.get(recipient.id) === recipient && !recipient.isClosed) {
      deliver([recipient], message.frames);
    } else {
      // It has gone while the question was on its way.
      this.abandon(recipient.id);
    }
  }

  /** Another node hands a client's answer back. */
  receive(payload: Uint8Array): void {
    const { protocol: name, frame } = readCompletion(payload);
    const protocol = this.#options.protocols.find((protocol) => protocol.name === name);
    if (protocol === undefined) {
      return this.#options.logger.warn(`Ignored a client result in the unknown protocol '${name}'`);
    }
    const reader = protocol.reader(null);
    reader.push(frame);
    const record = reader.read();
    const answer = record === undefined ? undefined : protocol.parse(record);
    if (answer?.type !== MessageType.Completion) return;
    const pending = this.#pending.get(answer.invocationId);
    // Where its connection was is of no concern to who asked.
    if (answer.error === DISCONNECTED) pending?.settle(gone(pending.connectionId));
    else pending?.settle(answer);
  }

  /** Forgets questions of other nodes that a client never answers. Called by the heartbeat. */
  sweep(): void {
    const due = this.#options.clock.now() - FORGET_FACTOR * this.#options.clientResultTimeout;
    for (const [id, { forwardedAt }] of this.#pending) {
      if (forwardedAt === undefined) continue;
      // The oldest come first.
      if (forwardedAt > due) return;
      this.#pending.delete(id);
    }
  }

  /** Rejects everything that waits. */
  close(): void {
    for (const pending of [...this.#pending.values()]) pending.settle(new HubError(CANCELED));
  }

  /** Resolves with whether the connection is known to exist. */
  async #ask(
    connectionId: string,
    invocationId: string,
    message: SerializedInvocation,
  ): Promise<boolean> {
    const { backplane, channels, connections, serverName } = this.#options;
    const recipient = connections.get(connectionId);
    if (recipient !== undefined) {
      // It is ending, and known until the hub has dealt with that; nobody will answer.
      if (recipient.isClosed) throw gone(connectionId);
      deliver([recipient], message);
      return true;
    }
    const returnChannel = channels.results(serverName);
    const payload = writeInvocation(message, [], serverName, { invocationId, returnChannel });
    const receivers = await backplane.publish(channels.connection(connectionId), payload);
    if (receivers === 0) throw nobody(connectionId);
    // Where the bus cannot tell, the timeout will.
    return receivers !== undefined;
  }

  #answer(recipient: Recipient, returnChannel: string, answer: CompletionMessage): void {
    const { backplane, logger, protocols } = this.#options;
    const protocol = protocols.find((protocol) => protocol.name === recipient.protocol);
    if (protocol === undefined) return;
    // What the client has written stays as it is: numbers that are none here, extensions, headers.
    const frame = answer.record === undefined
      ? protocol.write(answer)
      : protocol.frame(answer.record);
    const payload = writeCompletion(protocol.name, frame);
    backplane.publish(returnChannel, payload).catch((error) => {
      logger.warn("Cannot hand a client result back to its node:", error);
    });
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
/** What nodes tell each other when a connection has gone before it has answered. */
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

/** Unlike any id that a client gives its streams. */
function randomInvocationId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
