import { MessageType } from "../protocol/messages.ts";
import type { ActiveCall } from "./active_call.ts";

/** The calls of a client that have begun and not ended, by invocation id. Only streams have ids of their own. */
export class CallsById {
  /** The calls that are not cancelled. */
  readonly #cancellable = new Map<string, Set<ActiveCall>>();
  #streaming: Set<string> | undefined;

  add(call: ActiveCall): void {
    const { invocationId, type } = call.message;
    if (invocationId === undefined) return;
    const same = this.#cancellable.get(invocationId);
    if (same === undefined) this.#cancellable.set(invocationId, new Set([call]));
    else same.add(call);
    if (type === MessageType.StreamInvocation) (this.#streaming ??= new Set()).add(invocationId);
  }

  delete(call: ActiveCall): void {
    const { invocationId, type } = call.message;
    if (invocationId === undefined) return;
    const same = this.#cancellable.get(invocationId);
    if (same?.delete(call) && same.size === 0) this.#cancellable.delete(invocationId);
    if (type === MessageType.StreamInvocation) this.#streaming?.delete(invocationId);
  }

  /** Whether a stream has the id. */
  streams(invocationId: string): boolean {
    return this.#streaming?.has(invocationId) === true;
  }

  /** Cancels all calls with the id. */
  cancel(invocationId: string): void {
    const calls = this.#cancellable.get(invocationId);
    if (calls === undefined) return;
    this.#cancellable.delete(invocationId);
    for (const call of calls) call.cancel();
  }
}
