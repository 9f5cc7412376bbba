import type { BackplaneSubscription } from "../../backplanes/backplane.ts";
import { HeardChannel } from "./heard_channel.ts";
import type { Recipient } from "./recipient.ts";
import { SmallSet } from "./small_set.ts";

/** How a channel is used. */
export interface ChannelRules {
  /** Whether the list of excluded connections in a message counts. */
  readonly heedsExclusions?: true;
  /** Whether members stay although the bus has not confirmed the channel in time, or refuses it. */
  readonly permanent?: true;
}

/** A channel that this node listens to while it has members. */
export class Channel extends HeardChannel {
  readonly rules: ChannelRules;
  declare readonly audience: SmallSet<Recipient>;
  subscription: BackplaneSubscription | undefined;
  #joining: PromiseWithResolvers<void> | undefined;

  constructor(name: string, rules: ChannelRules) {
    super(name, new SmallSet<Recipient>(), rules.heedsExclusions ?? false);
    this.rules = rules;
  }

  /**
   * Present until the bus has first confirmed the channel, or the wait for that is over; rejects if the
   * bus refuses the channel or has not confirmed it in time.
   */
  get joining(): Promise<void> | undefined {
    return this.#joining?.promise;
  }

  /** The bus has been asked for the channel. */
  subscribed(subscription: BackplaneSubscription): void {
    this.subscription = subscription;
    this.#joining = Promise.withResolvers();
    // A rejection is for those who wait.
    this.#joining.promise.catch(() => {});
  }

  /** The wait for the bus is over. */
  settle(error?: unknown): void {
    const joining = this.#joining;
    this.#joining = undefined;
    if (error === undefined) joining?.resolve();
    else joining?.reject(error);
  }
}
