import type { BackplaneSubscription } from "../backplane.ts";
import type { Attached } from "./handlers.ts";

/** One handler's hold on a channel: there is one for every connection of a hub. */
export class Subscription implements BackplaneSubscription {
  readonly #channel: string;
  readonly #attached: Attached;
  readonly #leave: (channel: string, attached: Attached) => Promise<void>;
  #left: Promise<void> | undefined;

  /** `leave` is called once. */
  constructor(
    channel: string,
    attached: Attached,
    leave: (channel: string, attached: Attached) => Promise<void>,
  ) {
    this.#channel = channel;
    this.#attached = attached;
    this.#leave = leave;
  }

  unsubscribe(): Promise<void> {
    return this.#left ??= this.#leave(this.#channel, this.#attached);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe();
  }
}
