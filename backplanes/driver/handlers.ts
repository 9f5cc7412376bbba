import type { BackplaneHandler } from "../backplane.ts";
import type { BackplaneLogger } from "./options.ts";

const NONE: readonly Attached[] = [];

/**
 * The handlers of each channel.
 *
 * - **Snapshot**: a handler's list is replaced and never changed, so a handler may subscribe or
 *   unsubscribe while a message is being delivered.
 * - **Detached means silent**: a handler that was removed is skipped, also by a delivery under way.
 * - **Isolation**: one that throws is logged; the others are still called.
 */
export class ChannelHandlers {
  readonly #channels = new Map<string, readonly Attached[]>();
  readonly #logger: BackplaneLogger;

  constructor(logger: BackplaneLogger) {
    this.#logger = logger;
  }

  /** Adds a handler; the same function may be added twice and is then called twice. */
  attach(channel: string, handler: BackplaneHandler): Attached {
    const attached: Attached = { handler, active: true };
    // Unlike a spread, it leaves no room behind: nearly every list is of one for good.
    this.#channels.set(channel, (this.#channels.get(channel) ?? NONE).concat(attached));
    return attached;
  }

  /** Removes one; returns whether it was the channel's last. Idempotent. */
  detach(channel: string, attached: Attached): boolean {
    if (!attached.active) return false;
    attached.active = false;
    const rest = (this.#channels.get(channel) ?? []).filter((other) => other !== attached);
    if (rest.length > 0) {
      this.#channels.set(channel, rest);
      return false;
    }
    this.#channels.delete(channel);
    return true;
  }

  /** Whether anyone listens on `channel`. */
  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  /** The channels with at least one handler. */
  names(): IterableIterator<string> {
    return this.#channels.keys();
  }

  /** Calls every handler of `channel`, in the order they were attached. */
  deliver(channel: string, payload: Uint8Array): void {
    const handlers = this.#channels.get(channel);
    if (handlers === undefined) return;
    for (const attached of handlers) {
      if (!attached.active) continue;
      try {
        attached.handler(payload);
      } catch (error) {
        this.#logger.error(
          `Backplane handler of channel ${JSON.stringify(channel)} failed:`,
          error,
        );
      }
    }
  }

  /** Silences everything. */
  clear(): void {
    for (const handlers of this.#channels.values()) {
      for (const attached of handlers) attached.active = false;
    }
    this.#channels.clear();
  }
}

/** One handler on one channel. */
export interface Attached {
  readonly handler: BackplaneHandler;
  active: boolean;
}
