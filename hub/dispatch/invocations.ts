import { CallContext, type ConnectionState } from "../context.ts";
import {
  errorInvoking,
  failedToInvoke,
  notStreaming,
  streamingNotAsked,
  toError,
  withDetail,
} from "../error_texts.ts";
import {
  type HubMessage,
  type InvocationMessage,
  MessageType,
  type StreamInvocationMessage,
} from "../protocol/messages.ts";
import { HubError } from "../errors.ts";
import type { CallableMethod, MethodTable } from "./method_table.ts";

/** What calls need of the connection that they come from. */
export interface Caller {
  /** Whether nobody waits for an answer any more. */
  readonly isClosed: boolean;
  /** Writes a message; throws `TypeError` if a value in it cannot be serialised. */
  send(message: HubMessage): void;
  /** Ends the connection because of an error; the client may reconnect. */
  fail(error: Error): void;
}

/** What the calls of every connection of a hub share. */
export interface DispatchOptions {
  readonly methods: MethodTable;
  readonly maximumParallel: number;
  readonly detailedErrors: boolean;
  readonly logger: Pick<Console, "error">;
}

type Call = InvocationMessage | StreamInvocationMessage;

/**
 * Runs what one client calls. `specs/signalr-wire.md §9`.
 *
 * - **Slots**: at most `maximumParallel` calls run at a time; while all are taken nothing more is read.
 * - **Order**: calls start in the order they came.
 * - **Answers**: one completion for each call with an id, none for one without.
 */
export class Invocations {
  readonly #options: DispatchOptions;
  readonly #caller: Caller;
  readonly #state: ConnectionState;
  /** Calls that somebody may cancel: those that looked at their signal. */
  readonly #cancellable = new Map<Call, AbortController>();
  #running = 0;
  #freed: (() => void) | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: DispatchOptions, caller: Caller, state: ConnectionState) {
    this.#options = options;
    this.#caller = caller;
    this.#state = state;
  }

  /** Dispatches a message; returns a promise while it has to wait for a slot. */
  receive(message: HubMessage): Promise<void> | undefined {
    switch (message.type) {
      case MessageType.Invocation:
      case MessageType.StreamInvocation:
        if (this.#running < this.#options.maximumParallel) return this.#begin(message);
        return new Promise<void>((resolve) => this.#freed = resolve)
          .then(() => this.#begin(message));
      case MessageType.CancelInvocation:
        for (const [call, cancellation] of this.#cancellable) {
          if (call.invocationId === message.invocationId) cancellation.abort();
        }
        return undefined;
      default:
        // Items and completions of unknown streams and calls, unsolicited acks and sequences.
        return undefined;
    }
  }

  /** The connection is gone: aborts the signal of every call. */
  abort(): void {
    for (const cancellation of this.#cancellable.values()) cancellation.abort();
    this.#freed?.();
  }

  /** Resolves when no call runs. */
  async idle(): Promise<void> {
    if (this.#running > 0) await (this.#idle ??= Promise.withResolvers<void>()).promise;
  }

  #begin(message: Call): undefined {
    if (this.#caller.isClosed) return;
    const method = this.#options.methods.find(message.target);
    const refusal = this.#refusal(message, method);
    if (method === undefined || refusal !== undefined) {
      return this.#complete(message, { error: refusal ?? failedToInvoke(message.target) });
    }
    const context = new CallContext(this.#state, () => this.#signal(message));
    let result: unknown;
    try {
      result = method.call.call(undefined, context, ...message.arguments);
    } catch (error) {
      this.#failed(message, error);
      return this.#forget(message);
    }
    if (!isThenable(result)) {
      this.#succeeded(message, result);
      return this.#forget(message);
    }
    this.#running++;
    result.then(
      (value) => this.#succeeded(message, value),
      (error) => this.#failed(message, error),
    ).then(() => this.#ended(message));
  }

  /** Why a call cannot begin, in the order upstream looks. */
  #refusal(message: Call, method: CallableMethod | undefined): string | undefined {
    const { target, streamIds } = message;
    const failed = (error: Error) =>
      withDetail(failedToInvoke(target), error, this.#options.detailedErrors);
    if (method === undefined) return failed(new HubError("Method does not exist."));
    const { least, most } = method.parameters;
    const sent = message.arguments.length;
    if (sent < least || sent > most) return failed(new ArgumentCountError(sent, least));
    if (method.streams) return streamingNotAsked(target);
    if (message.type === MessageType.StreamInvocation) return notStreaming(target);
    if (!streamIds?.length) return undefined;
    const error = new HubError(
      `Client sent ${streamIds.length} stream(s), Hub method expects 0.`,
    );
    return withDetail(errorInvoking(target), error, true);
  }

  #signal(message: Call): AbortSignal {
    let cancellation = this.#cancellable.get(message);
    if (cancellation === undefined) {
      this.#cancellable.set(message, cancellation = new AbortController());
      if (this.#caller.isClosed) cancellation.abort();
    }
    return cancellation.signal;
  }

  #succeeded(message: Call, value: unknown): void {
    // Upstream answers a method without a result with an explicit null.
    this.#complete(message, { result: value ?? null });
  }

  #failed(message: Call, thrown: unknown): void {
    const error = toError(thrown);
    if (!(error instanceof HubError)) {
      this.#options.logger.error(`Hub method ${JSON.stringify(message.target)} failed:`, error);
    }
    this.#complete(message, {
      error: withDetail(errorInvoking(message.target), error, this.#options.detailedErrors),
    });
  }

  #complete(message: Call, end: { error: string } | { result: unknown }): undefined {
    const { invocationId } = message;
    if (invocationId === undefined) return;
    try {
      this.#caller.send({ type: MessageType.Completion, invocationId, ...end });
    } catch (error) {
      // As upstream: the client would wait for ever, so it is told with the end of the connection.
      this.#options.logger.error(
        `Cannot write the result of hub method ${JSON.stringify(message.target)}:`,
        error,
      );
      this.#caller.fail(toError(error));
    }
  }

  #forget(message: Call): undefined {
    this.#cancellable.delete(message);
  }

  #ended(message: Call): void {
    this.#forget(message);
    this.#running--;
    const freed = this.#freed;
    this.#freed = undefined;
    freed?.();
    if (this.#running > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

/** The client sent more or fewer arguments than the method takes. */
class ArgumentCountError extends Error {
  constructor(sent: number, expected: number) {
    super(`Invocation provides ${sent} argument(s) but target expects ${expected}.`);
    this.name = "InvalidDataException";
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
