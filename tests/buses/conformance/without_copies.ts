import type {
  Backplane,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "../../../backplanes/backplane.ts";

/** The bytes before a payload: the number of the instance and that of the message. */
const HEAD_BYTES = 8;

let instances = 0;

/**
 * Numbers what is published and drops the copies that arrive, as a hub does. With this, several
 * backplanes as one keep the contract of a backplane.
 */
export class WithoutCopies implements Backplane {
  readonly #inner: Backplane;
  readonly #instance = ++instances;
  readonly #heard = new Map<string, Set<string>>();
  #number = 0;

  constructor(inner: Backplane) {
    this.#inner = inner;
  }

  get status(): BackplaneStatus {
    return this.#inner.status;
  }

  publish(channel: string, payload: Uint8Array, counted?: boolean): Promise<number | undefined> {
    const numbered = new Uint8Array(HEAD_BYTES + payload.length);
    const head = new DataView(numbered.buffer);
    head.setUint32(0, this.#instance);
    head.setUint32(4, ++this.#number);
    numbered.set(payload, HEAD_BYTES);
    return this.#inner.publish(channel, numbered, counted);
  }

  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    const known = this.#heard.get(channel) ?? new Set();
    this.#heard.set(channel, known);
    // A copy may come after the handler that has had the message has left.
    const heard = new Set(known);
    return this.#inner.subscribe(channel, (numbered) => {
      const identity = numbered.slice(0, HEAD_BYTES).join();
      if (heard.has(identity)) return;
      heard.add(identity);
      known.add(identity);
      return handler(numbered.subarray(HEAD_BYTES));
    });
  }

  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.#inner.onStatus(listener);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
