import type {
  Backplane,
  BackplaneHandler,
  BackplaneStatus,
  BackplaneStatusEvent,
  BackplaneSubscription,
} from "../../../backplanes/backplane.ts";
import { BackplaneClosedError, BackplaneUnavailableError } from "../../../backplanes/errors.ts";
import { ChannelHandlers } from "../../../backplanes/driver/handlers.ts";
import { StatusSource } from "../../../backplanes/driver/status.ts";
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
    return new WorkerBackplane(this, node, status, new ChannelHandlers(logger));
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
  readonly echo: boolean = false;
  readonly id: number;
  readonly #thread: WorkerThread;
  readonly #status: StatusSource;
  readonly #handlers: ChannelHandlers;
  #closing: Promise<void> | undefined;

  constructor(thread: WorkerThread, id: number, status: StatusSource, handlers: ChannelHandlers) {
    this.#thread = thread;
    this.id = id;
    this.#status = status;
    this.#handlers = handlers;
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

  async subscribe(channel: string, handler: BackplaneHandler): Promise<BackplaneSubscription> {
    this.#check();
    // Each has a name of its own here: it is in the worker that they share a channel.
    const order = this.#thread.order({ type: "subscribe", node: this.id, channel });
    const own = `${order.id}`;
    const attached = this.#handlers.attach(own, handler);
    this.#thread.heard.set(order.id, (payload) => this.#handlers.deliver(own, payload));
    await order.done;
    let left: Promise<void> | undefined;
    const unsubscribe = () => {
      this.#handlers.detach(own, attached);
      this.#thread.heard.delete(order.id);
      if (this.status === "closed") return Promise.resolve();
      return left ??= this.#thread.order({ type: "unsubscribe", node: this.id, of: order.id }).done;
    };
    return { unsubscribe, [Symbol.asyncDispose]: unsubscribe };
  }

  onStatus(listener: (event: BackplaneStatusEvent) => void): Disposable {
    return this.#status.onStatus(listener);
  }

  close(): Promise<void> {
    this.#handlers.clear();
    this.#closing ??= this.#thread.order({ type: "close", node: this.id }).done;
    this.#status.emit({ status: "closed" });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(): void {
    if (this.status === "closed") throw new BackplaneClosedError("closed");
  }
}
