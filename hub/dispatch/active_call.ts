import type { HubConnection } from "../connection/connection.ts";
import {
  errorInvoking,
  errorStreaming,
  notStreaming,
  streamingNotAsked,
  toError,
  withDetail,
} from "../connection/error_texts.ts";
import { HubError } from "../definition/errors.ts";
import { isSent, NOTHING_TO_ACCEPT } from "../definition/sent.ts";
import { MessageType } from "../protocol/messages.ts";
import type { Call, CallState } from "./call_context.ts";
import { isThenable } from "./now_or_later.ts";
import type { DispatchParts } from "./method_table.ts";
import type { Slots } from "./slots.ts";
import { serverClosing } from "./refusals.ts";
import { discard, isStreamable, stream, StreamEnd } from "./streaming.ts";
import { UploadClosedError } from "./uploads.ts";

/** Why the signal of a cancelled call is aborted. To make such an error takes longer than a small call. */
const CANCELLED = new DOMException("The signal has been aborted", "AbortError");

/** The parts that all calls of a hub share. */
type CallParts = Pick<DispatchParts, "limitedLog" | "options" | "scheduler">;

/** One call while it runs: from the first line of its method to its completion. */
export class ActiveCall implements CallState {
  readonly message: Call;
  /** The name of the method, as the hub spells it. */
  readonly #name: string;
  readonly #connection: HubConnection;
  readonly #slots: Slots;
  readonly #parts: CallParts;
  /** How the call counts in the slots of its client. */
  #counts: "running" | "sending" | "background" = "background";
  /** Made when the signal is first used; most methods never use it. */
  #cancellation: AbortController | undefined;
  #cancelled = false;
  #streamEnd: StreamEnd | undefined;
  /** The reason why the call should end soon. */
  #closing: HubError | undefined;
  /** Whether the method has been called. */
  #begun = false;

  constructor(
    message: Call,
    name: string,
    connection: HubConnection,
    slots: Slots,
    parts: CallParts,
  ) {
    this.message = message;
    this.#name = name;
    this.#connection = connection;
    this.#slots = slots;
    this.#parts = parts;
  }

  /** Aborted when the client cancels the call, or when the connection ends. */
  get signal(): AbortSignal {
    if (this.#cancellation === undefined) {
      this.#cancellation = new AbortController();
      const reason = this.#closing ?? (this.#cancelled ? CANCELLED : undefined);
      if (reason !== undefined) this.#cancellation.abort(reason);
    }
    return this.#cancellation.signal;
  }

  /** A method that waits for a client must not delay the next messages of that client. */
  beforeInvoke(): void {
    // Until the call has begun no further call of the client begins, however long the client takes.
    if (!this.#begun) throw new Error("Client results inside authorize are not allowed.");
    this.freeSlot();
  }

  /** Aborts the signal; a stream ends with a completion. */
  cancel(): void {
    this.#cancelled = true;
    this.#cancellation?.abort(CANCELLED);
    this.#streamEnd?.reach();
  }

  /** The server is closing: aborts the signal of a stream, and of a call with uploads, which both go on. */
  retire(): void {
    const { type, streamIds } = this.message;
    if (type !== MessageType.StreamInvocation && !streamIds?.length) return;
    this.#closing = serverClosing();
    this.#cancellation?.abort(this.#closing);
  }

  /** Ends a stream that goes on after {@link retire}, with an error. */
  endStream(): void {
    this.#streamEnd?.reach();
  }

  /** Takes a slot of the client. */
  takeSlot(): void {
    this.#counts = "running";
    this.#slots.take();
  }

  /** Gives back whatever the call counts as. */
  freeSlot(): void {
    if (this.#counts === "running") this.#slots.free();
    else if (this.#counts === "sending") this.#slots.endSending();
    this.#counts = "background";
  }

  /**
   * Calls the method and answers the client. Returns nothing if the answer is written already,
   * else a promise.
   *
   * @throws (or rejects) if not even an error could be logged and written.
   */
  run(method: () => unknown): Promise<void> | undefined {
    this.#begun = true;
    let result: unknown;
    let waits: boolean;
    try {
      result = method();
      waits = isThenable(result);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
    if (result === NOTHING_TO_ACCEPT) return this.#returned(undefined);
    if (!waits) return this.#returned(result);
    // The next call of the client may begin while the bus accepts the message.
    if (isSent(result) && this.#counts === "running" && this.#slots.beginSending()) {
      this.#counts = "sending";
    }
    return Promise.resolve(result).then(
      (value) => this.#returned(value),
      (error) => this.#failed(error),
    );
  }

  /** Tells the client that the call cannot begin. */
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
      this.#answer(value);
    }
    return undefined;
  }

  #answer(value: unknown): void {
    const { invocationId } = this.message;
    if (invocationId === undefined) return;
    try {
      // Upstream answers a method without a result with an explicit null.
      this.#connection.send({ type: MessageType.Completion, invocationId, result: value ?? null });
    } catch (error) {
      this.#failed(error);
    }
  }

  async #stream(source: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
    const invocationId = this.message.invocationId ?? "";
    this.freeSlot();
    const end = this.#streamEnd = new StreamEnd();
    if (this.#cancelled) end.reach();
    try {
      await stream(source, (item) => {
        this.#connection.send({ type: MessageType.StreamItem, invocationId, item: item ?? null });
        return this.#connection.untilWritable() ?? this.#parts.scheduler.spend();
      }, end);
      // A source that heeds the aborted signal may end without an error though items are missing.
      if (this.#closing && (this.#cancellation || end.reached) && !this.#cancelled) {
        throw this.#closing;
      }
    } catch (error) {
      return this.#failed(error, errorStreaming);
    }
    this.#complete({});
  }

  /** Logs the error; the client gets `text`, and the error if the client may see the error. */
  #failed(thrown: unknown, text = errorInvoking(this.message.target)): void {
    const aborted = toError(thrown);
    const error = aborted.name === "AbortError" && this.#closing || aborted;
    const { limitedLog, options } = this.#parts;
    if (!this.#isExpected(error)) limitedLog.failure(`Hub method "${this.#name}" failed:`, error);
    this.#complete({ error: withDetail(text, error, options.detailedErrors) });
  }

  /** Errors for the client, and errors that follow from a cancelled call, are not failures of the server. */
  #isExpected(error: Error): boolean {
    if (error instanceof HubError) return true;
    return this.#cancelled && (error instanceof UploadClosedError || error.name === "AbortError");
  }

  #complete(end: { readonly error?: string }): void {
    const { invocationId } = this.message;
    if (invocationId === undefined) return;
    this.#connection.send({ type: MessageType.Completion, invocationId, ...end });
  }
}

/** Whether `value` can be read only once: a stream, not a collection. */
function isOneWay(value: object): boolean {
  return Symbol.asyncIterator in value || "next" in value;
}
