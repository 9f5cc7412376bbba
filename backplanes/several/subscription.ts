import type { BackplaneSubscription } from "../backplane.ts";
import { BackplaneClosedError, BackplaneError } from "../errors.ts";
import { untilTurnEnd } from "../driver/turn_end.ts";

/** The most confirmations that are looked at in one turn. */
const TURN_CONFIRMATIONS = 256;

/** The owner of the buses. */
export interface SubscriptionOwner {
  /** Whether bus `index` is open. */
  isOpen(index: number): boolean;
  /** Why no bus can be used any more, if so. */
  readonly closed: BackplaneClosedError | undefined;
}

/** Waits until every bus that is open has confirmed a channel. */
class Confirmation {
  readonly #parts: readonly BackplaneSubscription[];
  readonly #owner: SubscriptionOwner;
  readonly #done: () => void;
  readonly #settle: PromiseWithResolvers<void> = Promise.withResolvers();
  /** By bus. A bus that was away confirms before it is open again, so what is `true` stays. */
  readonly #confirmed: (boolean | undefined)[] = [];
  #ended = false;

  constructor(parts: readonly BackplaneSubscription[], owner: SubscriptionOwner, done: () => void) {
    this.#parts = parts;
    this.#owner = owner;
    this.#done = done;
    this.#settle.promise.catch(() => {});
  }

  get promise(): Promise<void> {
    return this.#settle.promise;
  }

  /** A bus has confirmed the channel, or the status of one has changed. */
  look(): void {
    if (this.#ended) return;
    if (this.#owner.closed !== undefined) return this.reject(this.#owner.closed);
    const open = this.#parts.flatMap((_, index) => this.#owner.isOpen(index) ? [index] : []);
    for (const index of open) this.#ask(index);
    if (open.length === 0 || !open.every((index) => this.#confirmed[index])) return;
    this.#settle.resolve();
    this.#end();
  }

  reject(error: Error): void {
    this.#settle.reject(error);
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#done();
  }

  #ask(index: number): void {
    if (this.#confirmed[index] !== undefined) return;
    this.#confirmed[index] = false;
    this.#parts[index]?.confirmed.then(() => {
      this.#confirmed[index] = true;
      this.look();
    }, (error) => {
      // A bus that is closed is not open, so nobody waits for it.
      if (error instanceof BackplaneClosedError) this.look();
      else this.reject(error);
    });
  }
}

/** The confirmations that wait for a bus. */
export class Confirmations {
  readonly #waiting = new Set<Confirmation>();
  readonly #owner: SubscriptionOwner;
  #changes = 0;

  constructor(owner: SubscriptionOwner) {
    this.#owner = owner;
  }

  /** Begins to wait for the confirmation of a channel. */
  begin(parts: readonly BackplaneSubscription[], ended: () => void): Confirmation {
    const confirmation = new Confirmation(parts, this.#owner, () => {
      this.#waiting.delete(confirmation);
      ended();
    });
    this.#waiting.add(confirmation);
    confirmation.look();
    return confirmation;
  }

  /** The status of a bus has changed. */
  async changed(): Promise<void> {
    const change = ++this.#changes;
    let visited = 0;
    for (const confirmation of this.#waiting) {
      confirmation.look();
      if (++visited % TURN_CONFIRMATIONS > 0) continue;
      await untilTurnEnd();
      if (change !== this.#changes) return;
    }
  }
}

/** One handler on one channel of several buses. */
export class SeveralSubscription implements BackplaneSubscription {
  readonly #channel: string;
  readonly #parts: readonly BackplaneSubscription[];
  readonly #confirmations: Confirmations;
  #waiting: Confirmation | undefined;
  #left: Promise<void> | undefined;

  /** `parts` are the subscriptions of each bus. */
  constructor(
    channel: string,
    parts: readonly BackplaneSubscription[],
    confirmations: Confirmations,
  ) {
    this.#channel = channel;
    this.#parts = parts;
    this.#confirmations = confirmations;
  }

  get confirmed(): Promise<void> {
    if (this.#left !== undefined) return this.#refused();
    if (this.#waiting !== undefined) return this.#waiting.promise;
    let ended = false;
    const confirmation = this.#confirmations.begin(this.#parts, () => {
      ended = true;
      this.#waiting = undefined;
    });
    if (!ended) this.#waiting = confirmation;
    return confirmation.promise;
  }

  unsubscribe(): Promise<void> {
    if (this.#left === undefined) {
      const left = Promise.all(this.#parts.map((part) => part.unsubscribe()));
      this.#left = left.then(() => {});
      this.#waiting?.reject(this.#error());
    }
    return this.#left;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe();
  }

  #refused(): Promise<void> {
    const refused = Promise.reject(this.#error());
    refused.catch(() => {});
    return refused;
  }

  #error(): BackplaneError {
    return new BackplaneError(
      `Cannot subscribe to ${JSON.stringify(this.#channel)}: it was unsubscribed`,
    );
  }
}
