import { BackplaneClosedError, BackplaneUnavailableError } from "../../backplanes/errors.ts";
import type { SerializedInvocation } from "../protocol/serialized_invocation.ts";
import { Deadlines } from "../scheduling/deadlines.ts";
import { Backlog, type OutgoingOptions } from "./backlog.ts";
import { beginInvocation, endInvocation, numbered, writeInvocation } from "./invocation.ts";
import type { NodeContext } from "./node_context.ts";
import type { Numbering } from "./numbering.ts";
import type { Published } from "./publish_outcomes.ts";

/** A message that was handed over, and that the bus has not answered. */
interface Uncertain {
  reject(): void;
}

/** A message that the bus has, unless it fails. */
type HandedOver = Required<Published>;

const NOTHING: readonly never[] = [];

/**
 * Hands the messages of one hub to the bus, in their order.
 *
 * - **Number**: a message gets its number when it is handed over, and is kept for repairs unless no other
 *   node is there.
 * - **Outage**: while the bus is away messages wait in the {@link Backlog}, for `outageTimeout` at most.
 * - **No answer**: a message that was handed over is never published again. Its publish resolves when
 *   the bus has accepted a sign with its number, because the nodes that lack the message then ask for it.
 */
export class Outgoing {
  readonly #context: NodeContext<OutgoingOptions>;
  readonly #numbering: Numbering;
  readonly #backlog: Backlog;
  readonly #uncertain: Deadlines<Uncertain>;
  #closed = false;

  constructor(context: NodeContext<OutgoingOptions>, numbering: Numbering) {
    this.#context = context;
    this.#numbering = numbering;
    this.#backlog = new Backlog(context, (name, payload) => {
      const { accepted, recover } = this.#handCopy(name, payload);
      return accepted.catch(recover);
    });
    const { clock, options } = context;
    this.#uncertain = new Deadlines(clock, options.outageTimeout, (message) => message.reject());
  }

  /** Hands a message to the bus before this returns, or keeps it while the bus is away. */
  publish(
    names: readonly string[],
    message: SerializedInvocation,
    excluded: readonly string[],
  ): readonly Published[] {
    const [name] = names;
    if (name === undefined) return NOTHING;
    const { serverName, time } = this.#context;
    if (!this.#closed && this.#backlog.takes) {
      const payload = writeInvocation(message, excluded, serverName).slice();
      return names.map((name) => ({ accepted: this.#backlog.add(name, payload) }));
    }
    if (names.length === 1) {
      const writer = beginInvocation(message, excluded, serverName);
      const now = time.now();
      const back = this.#next(name, now);
      const payload = endInvocation(writer, this.#numbering.number, back);
      return [this.#handOver(name, payload, back, now)];
    }
    const payload = writeInvocation(message, excluded, serverName).slice();
    return names.map((name) => this.#handCopy(name, payload));
  }

  /** Whether messages wait for the bus. */
  get waits(): boolean {
    return this.#backlog.takes;
  }

  /** The bus is back: what has waited leaves, before anything new. */
  opened(): void {
    this.#backlog.leave();
  }

  /** Nothing waits any more. */
  close(): void {
    this.#closed = true;
    this.#backlog.close();
    this.#uncertain.expire();
  }

  /** Numbers a message; returns its `back`. */
  #next(name: string, now: number): number {
    const { cluster: { alone } } = this.#context;
    return alone ? this.#numbering.nextAlone(now) : this.#numbering.next(name, now);
  }

  /** Hands over a message that was written without its numbers. */
  #handCopy(name: string, payload: Uint8Array): HandedOver {
    const now = this.#context.time.now();
    const back = this.#next(name, now);
    return this.#handOver(name, numbered(payload, this.#numbering.number, back), back, now);
  }

  /** Hands over the message that was numbered last. */
  #handOver(name: string, payload: Uint8Array, back: number, now: number): HandedOver {
    const { number } = this.#numbering;
    this.#numbering.keep(back, payload, now);
    const recover = (error: unknown) => this.#recover(name, number, error);
    try {
      return { accepted: Promise.resolve(this.#context.backplane.publish(name, payload)), recover };
    } catch (error) {
      // A driver that throws would keep the message from the members here.
      return { accepted: Promise.reject(error), recover };
    }
  }

  // deno-lint-ignore require-await -- It rejects, and does not throw.
  async #recover(name: string, number: number, error: unknown): Promise<void> {
    const lost = error instanceof BackplaneUnavailableError && error.handedOver !== false;
    if (!lost && !(error instanceof BackplaneClosedError)) this.#numbering.refused(number);
    if (!lost || this.#closed || this.#context.options.outageTimeout === 0) throw error;
    return new Promise((resolve, reject) => {
      const message = { reject: () => reject(error) };
      const settle = () => {
        this.#uncertain.end(message);
        resolve();
      };
      if (this.#numbering.unanswered(name, number, settle)) this.#uncertain.begin(message);
      else message.reject();
    });
  }
}
