/**
 * Publishes at a steady pace to a subscriber in another process while something goes wrong with
 * the bus, and says what became of every message.
 *
 * @module
 */
import { deadline, delay } from "@std/async";
import type { Backplane, BackplaneStatus } from "../../../backplanes/backplane.ts";
import { LossLedger, type LossResult } from "./ledger.ts";
import { openDriver } from "./open_driver.ts";
import type { SubscriberOrder, SubscriberReport } from "./subscriber.ts";
import { TextLineStream } from "../../kit/servers/text_lines.ts";

export type { LossResult } from "./ledger.ts";

/** One run. */
export interface LossPlan {
  /** The bus, with the prefix to use. */
  readonly url: string;
  /** What goes wrong; called once, after a fifth of `duration`. */
  readonly fault: (run: LossRun) => Promise<void>;
  /** How long to publish, in milliseconds; a fault that takes longer is waited for. */
  readonly duration: number;
  /** The pause between two publishes, in milliseconds. */
  readonly publishEvery: number;
}

/** What a fault may do beside harming the bus. */
export interface LossRun {
  /** Stops the subscriber's event loop for `ms`; resolves when it has begun. */
  block(ms: number): Promise<void>;
  /** Publishes one more message, of `bytes`; counted as every other. Resolves when it has settled. */
  publish(bytes: number): Promise<void>;
}

const CHANNEL = "loss";
/** How long the subscriber may take to start, and both sides to recover, in milliseconds. */
const PATIENCE = 30_000;

/** Runs `plan` and returns the account. */
export async function runLoss(plan: LossPlan): Promise<LossResult> {
  const ledger = new LossLedger();
  await using subscriber = new SubscriberProcess(plan.url, ledger);
  await deadline(subscriber.ready, PATIENCE);
  await using backplane = await openDriver(plan.url);
  await untilOpen(backplane);
  using _listener = backplane.onStatus(({ gap }) => {
    if (gap !== undefined) ledger.reported(gap);
  });
  const publisher = new Publisher(backplane, ledger);
  let faulting = true;
  const fault = delay(plan.duration / 5)
    .then(() => plan.fault({ block: subscriber.block, publish: publisher.publish }))
    .finally(() => faulting = false);
  const end = performance.now() + plan.duration;
  while (faulting || performance.now() < end) {
    publisher.publish(4);
    await delay(plan.publishEvery);
  }
  await fault;
  await publisher.settled();
  await untilHeard(publisher, subscriber, ledger);
  return ledger.result();
}

/** Publishes until a message arrives at a subscriber that is open again: nothing can be under way then. */
async function untilHeard(
  publisher: Publisher,
  subscriber: SubscriberProcess,
  ledger: LossLedger,
): Promise<void> {
  const give = performance.now() + PATIENCE;
  while (performance.now() < give) {
    const sequence = publisher.next;
    await publisher.publish(4);
    for (let look = 0; look < 20; look++) {
      if (ledger.has(sequence) && subscriber.status === "open") return;
      await delay(10);
    }
  }
  throw new Error(`Cannot end the run: the subscriber is ${subscriber.status} and hears nothing`);
}

async function untilOpen(backplane: Backplane): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _listener = backplane.onStatus(({ status }) => {
    if (status === "open") resolve();
  });
  if (backplane.status !== "open") await deadline(promise, PATIENCE);
}

/** Publishes numbered messages and notes how each ended. */
class Publisher {
  /** The number of the next message. */
  next = 0;
  readonly #backplane: Backplane;
  readonly #ledger: LossLedger;
  readonly #pending = new Set<Promise<void>>();

  constructor(backplane: Backplane, ledger: LossLedger) {
    this.#backplane = backplane;
    this.#ledger = ledger;
  }

  readonly publish = (bytes: number): Promise<void> => {
    const sequence = this.#ledger.publishing();
    this.next = sequence + 1;
    const payload = new Uint8Array(bytes);
    new DataView(payload.buffer).setUint32(0, sequence);
    const ended = this.#backplane.publish(CHANNEL, payload).then(
      () => this.#ledger.settled(sequence, true),
      () => this.#ledger.settled(sequence, false),
    ).finally(() => this.#pending.delete(ended));
    this.#pending.add(ended);
    return ended;
  };

  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }
}

/** The other process; what it hears goes into the ledger. */
class SubscriberProcess implements AsyncDisposable {
  /** Resolves when it is subscribed. */
  readonly ready: Promise<void>;
  /** What it last said of its backplane. */
  status: BackplaneStatus = "connecting";
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #waiting = new Map<SubscriberReport["type"], PromiseWithResolvers<void>>();

  constructor(url: string, ledger: LossLedger) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--allow-all",
        new URL("subscriber.ts", import.meta.url).href,
        url,
        CHANNEL,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.ready = this.#heard("ready");
    this.#reading = this.#read(ledger);
  }

  readonly block = async (ms: number): Promise<void> => {
    const order: SubscriberOrder = { block: ms };
    const begun = this.#heard("blocking");
    await this.#orders.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`));
    await deadline(begun, PATIENCE);
  };

  /** Ends the process by ending its input. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close().catch(() => {});
    await this.#reading;
    await this.#child.status;
  }

  #heard(type: SubscriberReport["type"]): Promise<void> {
    const waiter = Promise.withResolvers<void>();
    this.#waiting.set(type, waiter);
    return waiter.promise;
  }

  async #read(ledger: LossLedger): Promise<void> {
    const lines = this.#child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const report = JSON.parse(line) as SubscriberReport;
      if (report.type === "received") ledger.received(report.sequence);
      else if (report.type === "status") {
        this.status = report.status;
        if (report.gap !== undefined) ledger.reported(report.gap);
      } else this.#waiting.get(report.type)?.resolve();
    }
    for (const { reject } of this.#waiting.values()) reject(new Error("The subscriber has ended"));
  }
}
