import type { BackplaneHandler, BackplaneSubscription } from "../../../backplanes/backplane.ts";
import { MemoryBackplane } from "../../../backplanes/memory.ts";
import { Events } from "../../kit/until.ts";

/** A memory backplane that says what is subscribed, and what could not be. */
export class WatchedBackplane extends MemoryBackplane {
  /** The channels that are subscribed. */
  readonly subscribed: Set<string> = new Set();
  /** The channels whose subscribing was refused. */
  readonly refused: Events<string> = new Events();

  override async subscribe(
    channel: string,
    handler: BackplaneHandler,
  ): Promise<BackplaneSubscription> {
    try {
      const subscription = await super.subscribe(channel, handler);
      this.subscribed.add(channel);
      const unsubscribe = () => {
        this.subscribed.delete(channel);
        return subscription.unsubscribe();
      };
      return { unsubscribe, [Symbol.asyncDispose]: unsubscribe };
    } catch (error) {
      this.refused.add(channel);
      throw error;
    }
  }
}
