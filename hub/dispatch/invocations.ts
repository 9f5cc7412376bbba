import { CallContext, type ConnectionState } from "../definition/context.ts";
import { errorInvoking, failedToInvoke, toError, withDetail } from "../connection/error_texts.ts";
import { HubError } from "../definition/errors.ts";
import { type CompletionMessage, type HubMessage, MessageType } from "../protocol/messages.ts";
import type { ClientResults } from "../routing/client_results.ts";
import { ActiveCall, type Call, type Slots } from "./active_call.ts";
import type { Passage } from "./gate.ts";
import {
  bindingRefusal,
  type CallableMethod,
  type MethodTable,
  modeRefusal,
} from "./method_table.ts";
import { Uploads } from "./uploads.ts";

/** From how many calls of a client on those that wait for the bus hold up the next. */
const MAXIMUM_SENDING = 256;

/** What calls need of the connection that they come from. */
export interface Caller {
  /** Whether what the client has sent may still begin: also for a while after it has gone. */
  readonly isHeard: boolean;
  /** Writes a message; throws `TypeError` if a value in it cannot be serialised. */
  send(message: HubMessage): void;
  /** A promise while the client should not be sent more than it must be. */
  untilWritable(): Promise<void> | undefined;
  /** Ends the connection because of an error; the client may reconnect. */
  fail(error: Error): void;
}

/** What the calls of every connection of a hub share. */
export interface DispatchOptions {
  readonly methods: MethodTable;
  readonly maximumParallel: number;
  readonly maximumBackground: number;
  readonly streamBufferCapacity: number;
  readonly detailedErrors: boolean;
  readonly logger: Pick<Console, "error">;
  readonly results: Pick<ClientResults, "complete">;
}

/**
 * Runs what one client calls. `specs/signalr-wire.md §9`.
 *
 * - **Slots**: at most `maximumParallel` plain calls run at a time; while all are taken nothing more is
 *   read. Streams and calls with uploads take none, as upstream; nor does a call whose method has ended
 *   with a `send` that the bus has not accepted yet.
 * - **Order**: calls start in the order they came.
 * - **Answers**: one completion for each call with an id, none for one without.
 *
 * What few clients need is made when they need it: there is one of these for nearly every connection.
 */
export class Invocations implements Slots {
  readonly #options: DispatchOptions;
  readonly #caller: Caller;
  readonly #state: ConnectionState;
  readonly #active = new Set<ActiveCall>();
  /** Those of them that go on after they have begun and were not cancelled, by invocation id. */
  #cancellable: Map<string, Set<ActiveCall>> | undefined;
  /** The invocation ids of running streams. */
  #streaming: Set<string> | undefined;
  #uploads: Uploads | undefined;
  #slotsTaken = 0;
  /** How many calls have given their slot back and wait for the bus only. */
  #sending = 0;
  #retired = false;
  /** Whether the client has gone, or the connection has ended. */
  #aborted = false;
  #slotFreed: (() => void) | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: DispatchOptions, caller: Caller, state: ConnectionState) {
    this.#options = options;
    this.#caller = caller;
    this.#state = state;
  }

  /** Dispatches a message; returns a promise while nothing more may be read. */
  receive(message: HubMessage): Promise<void> | undefined {
    switch (message.type) {
      case MessageType.Invocation:
      case MessageType.StreamInvocation:
        return this.#call(message);
      case MessageType.StreamItem:
        return this.#uploads?.item(message.invocationId, message.item);
      case MessageType.Completion:
        this.#complete(message);
        return undefined;
      case MessageType.CancelInvocation:
        this.#cancel(message.invocationId);
        return undefined;
      default:
        // Acks and sequences that nobody asked for.
        return undefined;
    }
  }

  /**
   * The connection is gone: aborts the signal of every call, also of those that its client has left to
   * begin. To be called again when there are none: then uploads end.
   */
  abort(): void {
    this.#aborted = true;
    for (const call of this.#active) call.cancel();
    if (this.#caller.isHeard) return;
    this.#uploads?.close();
    this.#slotFreed?.();
  }

  /** Refuses every call from now on; what is under way goes on, with all that the client sends for it. */
  retire(): void {
    this.#retired = true;
    this.#slotFreed?.();
  }

  /** Resolves when no call runs. */
  async idle(): Promise<void> {
    if (this.#active.size > 0) await (this.#idle ??= Promise.withResolvers<void>()).promise;
  }

  /** Upload streams first, then results that were asked of the client; any other is ignored. */
  #complete(message: CompletionMessage): void {
    if (this.#uploads?.complete(message.invocationId, message.error)) return;
    try {
      this.#options.results.complete(this.#state.connectionId, message);
    } catch (error) {
      this.#caller.fail(toError(error));
    }
  }

  #call(message: Call): Promise<void> | undefined {
    const method = this.#options.methods.find(message.target);
    const takesSlot = method !== undefined && !method.streams && !message.streamIds?.length;
    if (!takesSlot || this.#retired || this.#slotsTaken < this.#options.maximumParallel) {
      return this.#begin(message, method, takesSlot);
    }
    return new Promise<void>((resolve) => this.#slotFreed = resolve)
      .then(() => this.#begin(message, method, takesSlot));
  }

  #begin(
    message: Call,
    method: CallableMethod | undefined,
    takesSlot: boolean,
  ): Promise<void> | undefined {
    if (!this.#caller.isHeard) return undefined;
    const refusal = bindingRefusal(method, message, this.#options.detailedErrors) ??
      this.#excess(message);
    const call = new ActiveCall(message, this.#options, this.#caller, this);
    if (method === undefined || refusal !== undefined) {
      call.refuse(refusal ?? failedToInvoke(message.target));
      return undefined;
    }
    this.#active.add(call);
    if (this.#aborted) call.cancel();
    call.holdsSlot = takesSlot;
    if (takesSlot) this.#slotsTaken++;
    const context = new CallContext(this.#state, call);
    const { gate } = method;
    if (gate === undefined) return this.#run(call, method, context, message.arguments);
    // Until it is decided nothing more is read: calls start in the order they came.
    const passage = gate(context, message);
    if (passage instanceof Promise) {
      return passage.then((passage) => this.#passed(call, method, context, passage));
    }
    return this.#passed(call, method, context, passage);
  }

  #passed(
    call: ActiveCall,
    method: CallableMethod,
    context: CallContext,
    passage: Passage,
  ): undefined {
    if (!this.#caller.isHeard) return this.#left(call);
    if (typeof passage !== "string") return this.#run(call, method, context, passage);
    call.refuse(passage);
    return this.#left(call);
  }

  #run(
    call: ActiveCall,
    method: CallableMethod,
    context: CallContext,
    args: readonly unknown[],
  ): undefined {
    const { target, streamIds } = call.message;
    const { detailedErrors } = this.#options;
    let uploads: readonly AsyncIterable<unknown>[] = [];
    let refusal = modeRefusal(method, call.message, detailedErrors) ??
      this.#duplicate(call.message);
    try {
      if (refusal === undefined && streamIds?.length) {
        this.#uploads ??= new Uploads(this.#options.streamBufferCapacity);
        uploads = this.#uploads.open(streamIds, method.itemSchemas);
      }
    } catch (error) {
      refusal = withDetail(errorInvoking(target), toError(error), detailedErrors);
    }
    if (refusal !== undefined) {
      call.refuse(refusal);
      return this.#left(call);
    }
    const ended = call.run(() => method.call(context, ...args, ...uploads));
    if (ended === undefined) return this.#ended(call);
    this.#goesOn(call);
    // The next may begin while the bus accepts the message.
    const sends = call.onlySends && this.#sending < MAXIMUM_SENDING && call.holdsSlot;
    if (sends) {
      this.#sending++;
      this.release(call);
    }
    ended.then(() => {
      if (sends) this.#sending--;
      this.#ended(call);
    });
  }

  #goesOn(call: ActiveCall): void {
    const { invocationId, type } = call.message;
    if (invocationId === undefined) return;
    this.#cancellable ??= new Map();
    const same = this.#cancellable.get(invocationId);
    if (same === undefined) this.#cancellable.set(invocationId, new Set([call]));
    else same.add(call);
    if (type === MessageType.StreamInvocation) (this.#streaming ??= new Set()).add(invocationId);
  }

  #cancel(invocationId: string): void {
    const calls = this.#cancellable?.get(invocationId);
    if (calls === undefined) return;
    this.#cancellable?.delete(invocationId);
    for (const call of calls) call.cancel();
  }

  /**
   * Whether a call is one too many. What holds no slot has no limit upstream, and each would cost a
   * client only its message.
   */
  #excess({ target }: Call): string | undefined {
    const { maximumBackground, detailedErrors } = this.#options;
    if (this.#retired) {
      return withDetail(
        failedToInvoke(target),
        new HubError("The server is closing."),
        detailedErrors,
      );
    }
    const background = this.#active.size - this.#slotsTaken - this.#sending;
    if (background < maximumBackground) return undefined;
    const error = new HubError(`More than ${maximumBackground} invocations are under way.`);
    return withDetail(failedToInvoke(target), error, detailedErrors);
  }

  /** Upstream refuses an id in use only to a stream, and only while the other is one. */
  #duplicate(message: Call): string | undefined {
    const { invocationId, type } = message;
    if (type !== MessageType.StreamInvocation || !this.#streaming?.has(invocationId)) {
      return undefined;
    }
    return `Invocation ID '${invocationId}' is already in use.`;
  }

  /** A call that had begun has ended. */
  #ended(call: ActiveCall): undefined {
    const { invocationId = "", streamIds, type } = call.message;
    const same = this.#cancellable?.get(invocationId);
    if (same?.delete(call) && same.size === 0) this.#cancellable?.delete(invocationId);
    if (type === MessageType.StreamInvocation) this.#streaming?.delete(invocationId);
    if (streamIds?.length) this.#uploads?.drop(streamIds);
    return this.#left(call);
  }

  /** Nothing more comes of a call. */
  #left(call: ActiveCall): undefined {
    this.#active.delete(call);
    this.release(call);
    if (this.#active.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  release(call: ActiveCall): void {
    if (!call.holdsSlot) return;
    call.holdsSlot = false;
    this.#slotsTaken--;
    const freed = this.#slotFreed;
    this.#slotFreed = undefined;
    freed?.();
  }
}
