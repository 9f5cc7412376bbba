import { setImmediate } from "node:timers";

/** The most bytes joined in one post; a single message may be larger. */
const POST_BYTES = 1024 * 1024;
/** What a message costs beside its payload and name, roughly. */
const MESSAGE_BYTES = 64;

/** Messages that leave together. */
export interface Batch {
  /** When the first of them was published, in epoch milliseconds. */
  readonly at: number;
  readonly names: string[];
  readonly payloads: Uint8Array[];
}

interface Pending extends Batch {
  bytes: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Joins what is published in one turn of the event loop into one post, since a receiver keeps few
 * posts and any number of messages. What is over the size of a post leaves in the turns that follow.
 */
export class BroadcastOutbox {
  readonly #post: (batch: Batch) => void;
  readonly #queue: Pending[] = [];
  #scheduled = false;

  /** `post` makes one post; it may throw. */
  constructor(post: (batch: Batch) => void) {
    this.#post = post;
  }

  /** Adds a message; settles when it was posted. */
  add(name: string, payload: Uint8Array): Promise<void> {
    const bytes = MESSAGE_BYTES + 2 * name.length + payload.length;
    let last = this.#queue.at(-1);
    if (last === undefined || last.bytes + bytes > POST_BYTES) {
      const done = Promise.withResolvers<void>();
      last = { at: Date.now(), names: [], payloads: [], bytes: 0, done };
      this.#queue.push(last);
      this.#schedule();
    }
    last.bytes += bytes;
    last.names.push(name);
    last.payloads.push(payload);
    return last.done.promise;
  }

  /** Posts everything now. */
  flush(): void {
    while (this.#queue.length > 0) this.#postFirst();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#postFirst();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #postFirst(): void {
    const batch = this.#queue.shift();
    if (batch === undefined) return;
    try {
      this.#post(batch);
      batch.done.resolve();
    } catch (error) {
      batch.done.reject(error);
    }
  }
}
