import type {
  Backplane,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "../../../backplanes/backplane.ts";
import { MemoryBackplane, type MemoryBus } from "../../../mod.ts";

/** A backplane that hears everything in its order, and late if the test says so. */
export class LaggingBackplane implements Backplane {
  /** Whether what comes waits until it is released. */
  lags = false;
  /** What happens before a channel is confirmed. */
  confirmation: Promise<void> = Promise.resolve();
  /** The channels of all publishes. */
  readonly published: string[] = [];
  /** Whether a payload is lost on its way to this node. */
  loses: (channel: string) => boolean = () => false;
  readonly #inner: MemoryBackplane;
  readonly #waiting: (() => void)[] = [];
  readonly #listeners = new Set<(event: BackplaneStatusEvent) => void>();
  #status: BackplaneStatus | undefined;

  constructor(bus: MemoryBus) {
    this.#inner = new MemoryBackplane(bus);
    this.#inner.onStatus((event) => this.#tell(event));
  }

  get status(): BackplaneStatus {
    return this.#status ?? this.#inner.status;
  }

  /** Says that the connection is away. */
  lose(): void {
    this.#status = "reconnecting";
    this.#tell({ status: "reconnecting" });
  }

  /** Says that the connection is back, and that messages may have been lost. */
  recover(): void {
    this.#status = undefined;
    this.#tell({ status: "open", gap: { since: 0, until: 1 } });
  }

  /** Lets the oldest of what waits happen, or all of it. */
  release(count: number = this.#waiting.length): void {
    for (const call of this.#waiting.splice(0, count)) call();
  }

  publish(channel: string, payload: Uint8Array): Promise<number | undefined> {
    this.published.push(channel);
    return this.#inner.publish(channel, payload);
  }

  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    const subscription = this.#inner.subscribe(channel, (payload) => {
      if (this.loses(channel)) return;
      const copy = payload.slice();
      this.#happen(() => handler(copy));
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const { confirmation } = this;
    subscription.confirmed.then(() => confirmation).then(() => this.#happen(resolve), () => {});
    return {
      confirmed: promise,
      unsubscribe: () => subscription.unsubscribe(),
      [Symbol.asyncDispose]: () => subscription.unsubscribe(),
    };
  }

  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #tell(event: BackplaneStatusEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  #happen(call: () => void): void {
    if (this.lags || this.#waiting.length > 0) this.#waiting.push(call);
    else call();
  }
}
