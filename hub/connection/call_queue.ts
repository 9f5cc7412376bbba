import { type HubMessage, MessageType } from "../protocol/messages.ts";
import type { HeldMessage } from "./held_message.ts";

/** A call that has not begun, or a Close. */
interface Waiting {
  /** Absent once the message is dispatched. */
  held: HeldMessage | undefined;
  /** The ids by which later messages name the call and its uploads. */
  readonly ids: readonly string[];
  /** The messages that name the call: they are dispatched when it has begun. */
  followers: HeldMessage[];
  next: Waiting | undefined;
}

/**
 * The calls of one client that cannot begin yet, in the order in which the client sent them. A Close waits
 * behind the calls. A message that names a waiting call waits with that call: a cancellation, and the items
 * and ends of its uploads. No other message waits.
 */
export class CallQueue {
  /** The call that begins, or has begun while its followers are not dispatched. */
  #current: Waiting | undefined;
  #beginning = false;
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  /** The latest call of each id. */
  readonly #named = new Map<string, Waiting>();
  /** How many reasons there are why no further call may begin. */
  #reasons = 0;

  /** Notes a call that has been dispatched and begins later. */
  begin(message: HubMessage): void {
    if (this.#current === undefined) this.#current = this.#name(message, undefined);
    this.#beginning = true;
  }

  /** The call of {@link begin} has begun. */
  begun(): void {
    this.#beginning = false;
  }

  /** No call may begin until {@link resume}. */
  pause(): void {
    this.#reasons++;
  }

  /** Ends a {@link pause}. */
  resume(): void {
    this.#reasons--;
  }

  /** Whether `message` has to wait. */
  holds(message: HubMessage): boolean {
    return waitsInOrder(message) || this.#find(message) !== undefined;
  }

  /** Adds a message that {@link holds} has chosen. */
  add(message: HubMessage, held: HeldMessage): void {
    const named = waitsInOrder(message) ? undefined : this.#find(message);
    if (named !== undefined) {
      named.followers.push(held);
      return;
    }
    const waiting = this.#name(message, held);
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.next = waiting;
    this.#last = waiting;
  }

  /** Whether nothing waits and every call may begin. */
  get idle(): boolean {
    return this.#reasons === 0 && this.#current === undefined && this.#first === undefined;
  }

  /** Takes the next message to dispatch; `undefined` while there is none, or none may be dispatched. */
  next(): HeldMessage | undefined {
    if (this.#beginning) return undefined;
    if (this.#current !== undefined) {
      const follower = this.#current.followers.shift();
      if (follower !== undefined) return follower;
      this.#forget(this.#current);
      this.#current = undefined;
    }
    const first = this.#first;
    if (this.#reasons > 0 || first === undefined) return undefined;
    this.#first = first.next;
    if (first.next === undefined) this.#last = undefined;
    this.#current = first;
    const { held } = first;
    first.held = undefined;
    return held;
  }

  #name(message: HubMessage, held: HeldMessage | undefined): Waiting {
    const waiting: Waiting = { held, ids: idsOf(message), followers: [], next: undefined };
    for (const id of waiting.ids) this.#named.set(id, waiting);
    return waiting;
  }

  #forget(waiting: Waiting): void {
    for (const id of waiting.ids) {
      if (this.#named.get(id) === waiting) this.#named.delete(id);
    }
  }

  #find(message: HubMessage): Waiting | undefined {
    switch (message.type) {
      case MessageType.StreamItem:
      case MessageType.Completion:
      case MessageType.CancelInvocation:
        return this.#named.get(message.invocationId);
      default:
        return undefined;
    }
  }
}

/** Whether a message keeps its place among the calls. */
function waitsInOrder({ type }: HubMessage): boolean {
  return isCall({ type }) || type === MessageType.Close;
}

/** Whether a message calls a method. */
export function isCall({ type }: Pick<HubMessage, "type">): boolean {
  return type === MessageType.Invocation || type === MessageType.StreamInvocation;
}

function idsOf(message: HubMessage): readonly string[] {
  if (message.type !== MessageType.Invocation && message.type !== MessageType.StreamInvocation) {
    return [];
  }
  const { invocationId, streamIds = [] } = message;
  return invocationId === undefined ? streamIds : [invocationId, ...streamIds];
}
