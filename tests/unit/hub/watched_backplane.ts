import type { BackplaneHandler, BackplaneSubscription } from "../../../backplanes/backplane.ts";
import { MemoryBackplane } from "../../../backplanes/memory.ts";

/** A memory backplane that says which channels are wanted. */
export class WatchedBackplane extends MemoryBackplane {
  /** The channels that are subscribed, or will be when the bus is there. */
  readonly subscribed: Set<string> = new Set();

  override subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    const subscription = super.subscribe(channel, handler);
    this.subscribed.add(channel);
    const unsubscribe = () => {
      this.subscribed.delete(channel);
      return subscription.unsubscribe();
    };
    return {
      get confirmed() {
        return subscription.confirmed;
      },
      unsubscribe,
      [Symbol.asyncDispose]: unsubscribe,
    };
  }
}
