/**
 * Publishes to a worker whose thread is blocked, and says what became of every message.
 *
 * @module
 */
import { deadline, delay } from "@std/async";
import { setImmediate } from "node:timers";
import type { Backplane } from "../../../backplanes/backplane.ts";
import type { BroadcastChannelBackplaneOptions } from "../../../backplanes/broadcast_channel.ts";
import { LossLedger, type LossResult } from "../loss/ledger.ts";
import { type WorkerBackplane, WorkerThread } from "./worker_thread.ts";

const CHANNEL = "loss";
const PATIENCE = 20_000;

/** A subscriber in a thread that can be blocked, and the books of what it hears. */
export class WorkerLoss implements Disposable {
  readonly #thread: WorkerThread;
  readonly #subscriber: WorkerBackplane;
  readonly #ledger = new LossLedger();
  readonly #looking = new Set<() => void>();
  #published = 0;

  private constructor(thread: WorkerThread, subscriber: WorkerBackplane) {
    this.#thread = thread;
    this.#subscriber = subscriber;
    subscriber.onStatus(({ gap }) => {
      if (gap !== undefined) this.#ledger.reported(gap);
      for (const look of this.#looking) look();
    });
  }

  /** Opens the subscriber on the BroadcastChannel `name`. */
  static async open(
    name: string,
    options: BroadcastChannelBackplaneOptions = {},
  ): Promise<WorkerLoss> {
    const thread = new WorkerThread();
    const subscriber = await thread.open(name, options);
    const loss = new WorkerLoss(thread, subscriber);
    await subscriber.subscribe(CHANNEL, (payload) => loss.#heard(payload)).confirmed;
    return loss;
  }

  /** Blocks the subscriber's thread; resolves when it goes on. */
  block(milliseconds: number): Promise<void> {
    return this.#thread.block(this.#subscriber, milliseconds);
  }

  /** Publishes one numbered message. */
  async publish(publisher: Backplane): Promise<number> {
    const sequence = this.#ledger.publishing();
    this.#published++;
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, sequence);
    await publisher.publish(CHANNEL, payload).then(
      () => this.#ledger.settled(sequence, true),
      () => this.#ledger.settled(sequence, false),
    );
    return sequence;
  }

  /** Publishes `turns` messages, each in a turn and so in a post of its own, some thousand a second. */
  async load(publisher: Backplane, turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      this.publish(publisher);
      if (turn % 10 === 9) await delay(1);
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Publishes a message and resolves when it has arrived. */
  async reach(publisher: Backplane): Promise<void> {
    const sequence = await this.publish(publisher);
    await this.#until(() => this.#ledger.has(sequence));
  }

  /** Resolves when every message has arrived or lies in a reported gap. */
  accounted(): Promise<void> {
    return this.#until(() => {
      const { delivered, reportedLost, published } = this.#ledger.result();
      return delivered + reportedLost === published;
    });
  }

  /** The account. */
  result(): LossResult {
    return this.#ledger.result();
  }

  [Symbol.dispose](): void {
    this.#thread[Symbol.dispose]();
  }

  #heard(payload: Uint8Array): void {
    this.#ledger.received(new DataView(payload.buffer, payload.byteOffset).getUint32(0));
    for (const look of this.#looking) look();
  }

  async #until(holds: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (holds()) resolve();
    };
    this.#looking.add(look);
    look();
    try {
      await deadline(promise, PATIENCE);
    } finally {
      this.#looking.delete(look);
    }
  }
}
