import { TurnEnd } from "../driver/turn_end.ts";

/** The most bytes joined in one post; a single message may be larger. */
const POST_BYTES = 1024 * 1024;
/** The rough cost of a message beside its payload and name, in bytes. */
const MESSAGE_BYTES = 64;

/** Messages that leave in one post. */
export interface JoinedMessages {
  /** When the first of them was published, on the steady clock. */
  readonly at: number;
  readonly names: string[];
  readonly payloads: Uint8Array[];
}

interface Pending extends JoinedMessages {
  bytes: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Joins the messages of one turn of the event loop into one post, because a receiver keeps few posts
 * and any number of messages. Messages over the size of a post leave in the turns that follow.
 */
export class PostQueue {
  readonly #post: (messages: JoinedMessages) => void;
  readonly #queue: Pending[] = [];
  readonly #turnEnd = new TurnEnd(() => this.#turnEnded());

  /** `post` makes one post; it may throw. */
  constructor(post: (messages: JoinedMessages) => void) {
    this.#post = post;
  }

  /** Adds a message; settles when it was posted. */
  add(name: string, payload: Uint8Array): Promise<void> {
    const bytes = MESSAGE_BYTES + 2 * name.length + payload.length;
    let last = this.#queue.at(-1);
    if (last === undefined || last.bytes + bytes > POST_BYTES) {
      const done = Promise.withResolvers<void>();
      last = { at: performance.now(), names: [], payloads: [], bytes: 0, done };
      this.#queue.push(last);
      this.#turnEnd.schedule();
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

  #turnEnded(): void {
    this.#postFirst();
    if (this.#queue.length > 0) this.#turnEnd.schedule();
  }

  #postFirst(): void {
    const first = this.#queue.shift();
    if (first === undefined) return;
    try {
      this.#post(first);
      first.done.resolve();
    } catch (error) {
      first.done.reject(error);
    }
  }
}
