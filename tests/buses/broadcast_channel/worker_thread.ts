import type {
  Backplane,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "../../../backplanes/backplane.ts";
import { BackplaneClosedError, BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { StatusSource } from "../../../backplanes/driver/status.ts";
import { ChannelSubscriptions } from "../../../backplanes/driver/subscriptions.ts";
import type { BackplaneLogger } from "../../../backplanes/driver/options.ts";
import type { BroadcastChannelBackplaneOptions } from "../../../backplanes/broadcast_channel.ts";
import type { Answer, Order } from "./worker_messages.ts";

/** An {@link Order} before it has its number. */
type Wish = Order extends infer Each ? Each extends Order ? Omit<Each, "id"> : never : never;

const ERRORS = [RangeError, BackplaneClosedError, BackplaneUnavailableError];

/** A worker that holds backplanes which a test uses as if they were here. */
export class WorkerThread implements Disposable {
  /** Called with what handlers in the worker hear, by the id of the order to subscribe. */
  readonly heard: Map<number, (payload: Uint8Array) => void> = new Map();
  readonly #worker: Worker;
  readonly #pending = new Map<number, PromiseWithResolvers<void>>();
  readonly #nodes = new Map<number, (event: BackplaneStatusEvent) => void>();
  #orders: Order[] = [];
  #ids = 0;

  constructor() {
    this.#worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#answered(data);
  }

  /** Opens a backplane in the worker. */
  async open(
    name: string,
    options: BroadcastChannelBackplaneOptions = {},
  ): Promise<WorkerBackplane> {
    const node = ++this.#ids;
    const { logger = console, ...rest } = options;
    const status = new StatusSource("open", logger);
    this.#nodes.set(node, (event) => status.emit(event));
    await this.order({ type: "open", node, name, options: rest }).done;
    return new WorkerBackplane(this, node, status, logger);
  }

  /** Orders of one turn leave together, so that the worker's turns are as ours. */
  order(wish: Wish): { id: number; done: Promise<void> } {
    const id = ++this.#ids;
    const done = Promise.withResolvers<void>();
    this.#pending.set(id, done);
    const { length } = this.#orders;
    this.#orders[length] = { ...wish, id };
    if (length === 0) {
      queueMicrotask(() => {
        this.#worker.postMessage(this.#orders);
        this.#orders = [];
      });
    }
    return { id, done: done.promise };
  }

  /** Leaves the worker's event loop unattended; resolves when it goes on. */
  block(node: WorkerBackplane, milliseconds: number): Promise<void> {
    return this.order({ type: "block", node: node.id, milliseconds }).done;
  }

  /** Ends the thread without a word to anyone. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  #answered(answer: Answer): void {
    if (answer.type === "heard") return this.heard.get(answer.of)?.(answer.payload);
    if (answer.type === "status") return this.#nodes.get(answer.node)?.(answer.event);
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.type === "done") return pending?.resolve();
    const kind = ERRORS.find(({ name }) => name === answer.name) ?? Error;
    pending?.reject(new kind(answer.text));
  }
}

/** A backplane in a worker: bytes cross threads as they would, handlers are called here. */
export class WorkerBackplane implements Backplane {
  readonly id: number;
  readonly #thread: WorkerThread;
  readonly #status: StatusSource;
  readonly #subscriptions: ChannelSubscriptions;
  /** The order that subscribed each channel. */
  readonly #orders = new Map<string, number>();
  #closing: Promise<void> | undefined;

  constructor(thread: WorkerThread, id: number, status: StatusSource, logger: BackplaneLogger) {
    this.#thread = thread;
    this.id = id;
    this.#status = status;
    this.#subscriptions = new ChannelSubscriptions({
      subscribe: async (channels) =>
        void await Promise.all(channels.map((each) => this.#join(each))),
      unsubscribe: async (channels) =>
        void await Promise.all(channels.map((each) => this.#leave(each))),
    }, logger);
    this.#subscriptions.connected();
  }

  get status(): BackplaneStatus {
    return this.#status.status;
  }

  async publish(channel: string, payload: Uint8Array): Promise<undefined> {
    this.#check();
    await this.#thread.order({ type: "publish", node: this.id, channel, payload: payload.slice() })
      .done;
    return undefined;
  }

  subscribe(channel: string, handler: BackplaneHandler): BackplaneSubscription {
    return this.#subscriptions.subscribe(channel, handler);
  }

  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.#status.onStatus(listener);
  }

  close(): Promise<void> {
    this.#subscriptions.close(new BackplaneClosedError("closed"));
    this.#closing ??= this.#thread.order({ type: "close", node: this.id }).done;
    this.#status.emit({ status: "closed" });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #join(channel: string): Promise<void> {
    const order = this.#thread.order({ type: "subscribe", node: this.id, channel });
    this.#orders.set(channel, order.id);
    this.#thread.heard.set(order.id, (payload) => this.#subscriptions.dispatch(channel, payload));
    return order.done;
  }

  #leave(channel: string): Promise<void> {
    const of = this.#orders.get(channel) ?? 0;
    this.#thread.heard.delete(of);
    return this.#thread.order({ type: "unsubscribe", node: this.id, of }).done;
  }

  #check(): void {
    if (this.status === "closed") throw new BackplaneClosedError("closed");
  }
}
