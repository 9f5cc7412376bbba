import { isDone, isLatestSend } from "../routing/proxies.ts";
import type { CallState } from "../definition/context.ts";
import { HubError } from "../definition/errors.ts";
import {
  errorInvoking,
  errorStreaming,
  notStreaming,
  streamingNotAsked,
  toError,
  withDetail,
} from "../connection/error_texts.ts";
import {
  type HubMessage,
  type InvocationMessage,
  MessageType,
  type StreamInvocationMessage,
} from "../protocol/messages.ts";
import { isThenable } from "./now_or_later.ts";
import { discard, isStreamable, stream } from "./streaming.ts";
import { UploadClosedError } from "./uploads.ts";

/** A message that calls a method. */
export type Call = InvocationMessage | StreamInvocationMessage;

/** The way back to the client. */
export interface Answer {
  send(message: HubMessage): void;
  relieved(): Promise<void> | undefined;
  fail(error: Error): void;
}

/** Who counts the calls that hold up others. */
export interface Slots {
  /** `call` goes on without holding up others. */
  release(call: ActiveCall): void;
}

/** How failures are told. */
export interface Reporting {
  readonly detailedErrors: boolean;
  readonly logger: Pick<Console, "error">;
}

/** One call while it runs: from the first line of its method to its completion. */
export class ActiveCall implements CallState {
  readonly message: Call;
  readonly #reporting: Reporting;
  readonly #answer: Answer;
  readonly #slots: Slots;
  /** Whether it takes one of the client's slots. */
  holdsSlot = false;
  /** Whether its method has ended with a `send`, so that nothing of it is left to run. */
  onlySends = false;
  /** Made when somebody asks for the signal, which most methods do not. */
  #cancellation: AbortController | undefined;
  #cancelled = false;
  /** Whether its method has been called. */
  #begun = false;

  constructor(message: Call, reporting: Reporting, answer: Answer, slots: Slots) {
    this.message = message;
    this.#slots = slots;
    this.#reporting = reporting;
    this.#answer = answer;
  }

  /** Aborted when the client cancels the call, or its connection is gone. */
  get signal(): AbortSignal {
    if (this.#cancellation === undefined) {
      this.#cancellation = new AbortController();
      if (this.#cancelled) this.#cancellation.abort();
    }
    return this.#cancellation.signal;
  }

  /** A method that waits for a client must not hold up what the client sends. */
  beforeInvoke(): void {
    // Nothing is read from the client until its call has begun, so it could not answer.
    if (!this.#begun) throw new Error("Client results inside authorize are not allowed.");
    this.#slots.release(this);
  }

  /** Aborts the signal; a stream ends with a completion. */
  cancel(): void {
    this.#cancelled = true;
    this.#cancellation?.abort();
  }

  /** Calls the method and answers; returns nothing if that is done already. Never rejects. */
  run(method: () => unknown): Promise<void> | undefined {
    this.#begun = true;
    let result: unknown;
    try {
      result = method();
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
    if (isDone(result)) return this.#returned(undefined);
    if (!isThenable(result)) return this.#returned(result);
    this.onlySends = isLatestSend(result);
    return Promise.resolve(result).then(
      (value) => this.#returned(value),
      (error) => this.#failed(error),
    );
  }

  /** Answers that the call cannot begin. */
  refuse(error: string): void {
    this.#complete({ error });
  }

  #returned(value: unknown): Promise<void> | undefined {
    const { target, type } = this.message;
    if (type === MessageType.StreamInvocation) {
      if (isStreamable(value)) return this.#stream(value);
      this.#complete({ error: notStreaming(target) });
    } else if (isStreamable(value) && !Array.isArray(value) && isOneWay(value)) {
      discard(value);
      this.#complete({ error: streamingNotAsked(target) });
    } else {
      // Upstream answers a method without a result with an explicit null.
      this.#complete({ result: value ?? null });
    }
    return undefined;
  }

  async #stream(source: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
    const invocationId = this.message.invocationId ?? "";
    this.#slots.release(this);
    try {
      await stream(source, (item) => {
        this.#write({ type: MessageType.StreamItem, invocationId, item: item ?? null });
        return this.#answer.relieved();
      }, this.signal);
    } catch (thrown) {
      const error = this.#logged(thrown);
      const text = withDetail(errorStreaming, error, this.#reporting.detailedErrors);
      return this.#complete({ error: text });
    }
    this.#complete({});
  }

  #failed(thrown: unknown): void {
    const error = this.#logged(thrown);
    const text = errorInvoking(this.message.target);
    this.#complete({ error: withDetail(text, error, this.#reporting.detailedErrors) });
  }

  #logged(thrown: unknown): Error {
    const error = toError(thrown);
    if (!this.#isExpected(error)) {
      const target = JSON.stringify(this.message.target);
      this.#reporting.logger.error(`Hub method ${target} failed:`, error);
    }
    return error;
  }

  /** What a method tells its client on purpose is no failure of the server, nor what follows from leaving. */
  #isExpected(error: Error): boolean {
    if (error instanceof HubError) return true;
    return this.#cancelled && (error instanceof UploadClosedError || error.name === "AbortError");
  }

  #complete(end: { error: string } | { result: unknown } | Record<never, never>): void {
    const { invocationId } = this.message;
    if (invocationId === undefined) return;
    this.#write({ type: MessageType.Completion, invocationId, ...end });
  }

  #write(message: HubMessage): void {
    try {
      this.#answer.send(message);
    } catch (error) {
      // As upstream: the client would wait for ever, so it is told with the end of the connection.
      const target = JSON.stringify(this.message.target);
      this.#reporting.logger.error(`Cannot write what hub method ${target} returned:`, error);
      this.#answer.fail(toError(error));
    }
  }
}

/** A stream rather than a collection: what it gives can be read only once. */
function isOneWay(value: object): boolean {
  return Symbol.asyncIterator in value || "next" in value;
}
