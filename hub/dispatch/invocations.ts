import { mishandled } from "../connection/closing.ts";
import type { HubConnection } from "../connection/connection.ts";
import { errorInvoking, failedToInvoke, toError, withDetail } from "../connection/error_texts.ts";
import { HubError } from "../definition/errors.ts";
import type { TextOrBytes } from "../protocol/frame.ts";
import { type CompletionMessage, type HubMessage, MessageType } from "../protocol/messages.ts";
import { ActiveCall } from "./active_call.ts";
import { type Call, CallContext, type CallingConnection } from "./call_context.ts";
import { CallsById } from "./calls_by_id.ts";
import type { CheckedArguments } from "./guard.ts";
import type { CallableMethod, DispatchParts } from "./method_table.ts";
import { bindingRefusal, idInUse, logRefusal, modeRefusal, serverClosing } from "./refusals.ts";
import { Slots } from "./slots.ts";
import { Uploads } from "./uploads.ts";

/**
 * Runs the calls of one client. `specs/signalr-wire.md §9`.
 *
 * - **Slots**: a limited number of plain calls run at a time; while all slots are taken no further call
 *   begins. Streams and calls with uploads take no slot, as upstream; nor does a call whose method has
 *   ended with a `send` that the bus has not accepted yet.
 * - **Order**: calls begin in the order in which the client sent them.
 * - **Answers**: one completion for each call with an id, none for a call without one.
 *
 * Nearly every connection has an `Invocations`, so rare members are made on their first use.
 */
export class Invocations {
  readonly #parts: DispatchParts;
  readonly #connection: HubConnection;
  readonly #caller: CallingConnection;
  readonly #slots: Slots;
  readonly #active = new Set<ActiveCall>();
  #byId: CallsById | undefined;
  #uploads: Uploads | undefined;
  #retired = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(parts: DispatchParts, connection: HubConnection, caller: CallingConnection) {
    this.#parts = parts;
    this.#connection = connection;
    this.#caller = caller;
    this.#slots = new Slots(parts.options);
  }

  /** Dispatches a message; returns a promise while no further call may begin. */
  receive(message: HubMessage, record: TextOrBytes): Promise<void> | undefined {
    switch (message.type) {
      case MessageType.Invocation:
      case MessageType.StreamInvocation:
        return this.#call(message);
      case MessageType.StreamItem:
        return this.#uploads?.item(message, record);
      case MessageType.Completion:
        this.#complete(message);
        return undefined;
      case MessageType.CancelInvocation:
        this.#byId?.cancel(message.invocationId);
        return undefined;
      default:
        // Unexpected acks and sequences.
        return undefined;
    }
  }

  /**
   * Aborts the signal of every call, because the connection is closed. Queued calls of a client that has
   * gone may still begin; call `abort` again after the last one, to end the uploads.
   */
  abort(): void {
    for (const call of this.#active) call.cancel();
    if (this.#connection.isHeard) return;
    this.#uploads?.close();
    this.#slots.wake();
  }

  /**
   * Asks streams and calls with uploads to end soon; all running calls go on. Refuses every further call if
   * `refuses`.
   */
  retire(refuses: boolean): void {
    this.#retired = refuses;
    for (const call of this.#active) call.retire();
    this.#slots.wake();
  }

  /** Ends the streams and uploads that have not ended since {@link retire}. */
  endStreams(): void {
    for (const call of this.#active) call.endStream();
    this.#uploads?.close(serverClosing());
  }

  /** Resolves when no call runs; nothing if none does. */
  idle(): Promise<void> | undefined {
    return this.#active.size > 0 ? (this.#idle ??= Promise.withResolvers()).promise : undefined;
  }

  /** The end of an upload, or the result of a client; a completion with an unknown id is ignored. */
  #complete(message: CompletionMessage): void {
    if (this.#uploads?.complete(message.invocationId, message.error)) return;
    try {
      this.#parts.results.complete(this.#caller.connectionId, message);
    } catch (error) {
      this.#connection.fail(toError(error));
    }
  }

  #call(message: Call): Promise<void> | undefined {
    const method = this.#parts.methods.find(message.target);
    if (method === undefined) {
      return this.#refuse(message, method, new HubError("Method does not exist."), "info");
    }
    const takesSlot = !method.streams && !message.streamIds?.length;
    if (!takesSlot || this.#retired || !this.#slots.full) {
      return this.#begin(message, method, takesSlot);
    }
    return this.#slots.untilFree().then(() => this.#begin(message, method, takesSlot));
  }

  #begin(message: Call, method: CallableMethod, takesSlot: boolean): Promise<void> | undefined {
    if (!this.#connection.isHeard) return undefined;
    const wrong = bindingRefusal(method, message);
    if (wrong !== undefined) return this.#refuse(message, method, wrong, "info");
    const excess = this.#excess();
    if (excess !== undefined) {
      return this.#refuse(message, method, excess, this.#retired ? "debug" : "warn");
    }
    const call = new ActiveCall(message, method.name, this.#connection, this.#slots, this.#parts);
    this.#active.add(call);
    if (this.#connection.isClosed) call.cancel();
    if (takesSlot) call.takeSlot();
    const context = new CallContext(this.#caller, call);
    const { guard } = method;
    if (guard === undefined) return this.#run(call, method, context, message.arguments);
    // No further call begins until the guard has decided: calls begin in the order of the client.
    const checked = guard(context, message);
    if (checked instanceof Promise) {
      return checked.then((checked) => this.#guarded(call, method, context, checked));
    }
    return this.#guarded(call, method, context, checked);
  }

  #guarded(
    call: ActiveCall,
    method: CallableMethod,
    context: CallContext,
    checked: CheckedArguments,
  ): undefined {
    if (!this.#connection.isHeard) return this.#left(call);
    if (typeof checked !== "string") return this.#run(call, method, context, checked);
    call.refuse(checked);
    return this.#left(call);
  }

  #run(
    call: ActiveCall,
    method: CallableMethod,
    context: CallContext,
    args: readonly unknown[],
  ): undefined {
    const { target, streamIds } = call.message;
    const { detailedErrors, streamBufferCapacity } = this.#parts.options;
    let uploads: readonly AsyncIterable<unknown>[] = [];
    let refusal = modeRefusal(method, call.message, detailedErrors) ??
      this.#duplicate(call.message);
    try {
      if (refusal === undefined && streamIds?.length) {
        this.#uploads ??= new Uploads(
          streamBufferCapacity,
          (record) => this.#connection.hold(record),
        );
        uploads = this.#uploads.open(streamIds, method.itemSchemas);
      }
    } catch (error) {
      refusal = withDetail(errorInvoking(target), toError(error), detailedErrors);
    }
    if (refusal !== undefined) {
      logRefusal(this.#parts.limitedLog, "info", this.#connection.id, method.name, refusal);
      call.refuse(refusal);
      return this.#left(call);
    }
    let ended: Promise<void> | undefined;
    try {
      ended = call.run(() => method.call(context, ...args, ...uploads));
    } catch (error) {
      return this.#broke(call, error);
    }
    if (ended === undefined) return this.#ended(call);
    if (call.message.invocationId !== undefined) (this.#byId ??= new CallsById()).add(call);
    ended.then(() => this.#ended(call), (error) => this.#broke(call, error));
  }

  /**
   * The error that refuses a call of a retired client, or one call too many. Upstream has no limit for
   * calls without a slot; but such a call would cost a client only its message.
   */
  #excess(): Error | undefined {
    const { maximumBackgroundInvocationsPerClient: most } = this.#parts.options;
    if (this.#retired) return serverClosing();
    if (!this.#slots.exceededBy(this.#active.size)) return undefined;
    return new HubError(`More than ${most} invocations are under way.`);
  }

  /** The text that refuses a stream whose id another stream has. Upstream checks no other ids. */
  #duplicate(message: Call): string | undefined {
    const { invocationId, type } = message;
    if (type !== MessageType.StreamInvocation || !this.#byId?.streams(invocationId)) {
      return undefined;
    }
    return idInUse(invocationId);
  }

  /** Refuses a call that has not begun. */
  #refuse(
    { target, invocationId }: Call,
    method: CallableMethod | undefined,
    reason: Error,
    level: "debug" | "info" | "warn",
  ): undefined {
    const { limitedLog, options: { detailedErrors } } = this.#parts;
    const text = failedToInvoke(target);
    const entry = withDetail(text, reason, true);
    logRefusal(limitedLog, level, this.#connection.id, method?.name, entry);
    if (invocationId === undefined) return;
    const error = withDetail(text, reason, detailedErrors);
    this.#connection.send({ type: MessageType.Completion, invocationId, error });
  }

  /** Ends the connection of a call that could not be answered. */
  #broke(call: ActiveCall, thrown: unknown): undefined {
    this.#connection.close(mishandled(thrown, this.#parts.options.detailedErrors));
    return this.#ended(call);
  }

  /** Called when a call that has begun has ended. */
  #ended(call: ActiveCall): undefined {
    const { streamIds } = call.message;
    this.#byId?.delete(call);
    if (streamIds?.length) this.#uploads?.drop(streamIds);
    return this.#left(call);
  }

  /** Forgets a call. */
  #left(call: ActiveCall): undefined {
    this.#active.delete(call);
    call.freeSlot();
    if (this.#active.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
