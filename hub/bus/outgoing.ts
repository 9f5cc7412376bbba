import { BackplaneClosedError, BackplaneUnavailableError } from "../../backplanes/errors.ts";
import type { SerializedInvocation } from "../protocol/serialized_invocation.ts";
import { Deadlines } from "../scheduling/deadlines.ts";
import { Backlog, type OutgoingOptions } from "./backlog.ts";
import { numbered, type Numbers, writeInvocation } from "./invocation.ts";
import type { NodeContext } from "./node_context.ts";
import type { Numbering } from "./numbering.ts";

/** A message that was handed over, and that the bus has not answered. */
interface Uncertain {
  reject(): void;
}

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
    this.#backlog = new Backlog(
      context,
      (name, payload) => this.#handOver(name, (numbers) => numbered(payload, numbers())),
    );
    const { clock, options } = context;
    this.#uncertain = new Deadlines(clock, options.outageTimeout, (message) => message.reject());
  }

  /** Hands a message to the bus before this returns, or keeps it while the bus is away. */
  publish(
    names: readonly string[],
    message: SerializedInvocation,
    excluded: readonly string[],
  ): readonly Promise<unknown>[] {
    const [name] = names;
    if (name === undefined) return NOTHING;
    const { serverName } = this.#context;
    if (!this.#closed && this.#backlog.takes) {
      const payload = writeInvocation(message, excluded, serverName).slice();
      return names.map((name) => this.#backlog.add(name, payload));
    }
    if (names.length === 1) {
      const write = (numbers: () => Numbers) =>
        writeInvocation(message, excluded, serverName, numbers);
      return [this.#handOver(name, write)];
    }
    const payload = writeInvocation(message, excluded, serverName).slice();
    return names.map((name) => this.#handOver(name, (numbers) => numbered(payload, numbers())));
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

  #handOver(
    name: string,
    write: (numbers: () => Numbers) => Uint8Array,
  ): Promise<unknown> {
    const { backplane, cluster, time } = this.#context;
    const numbering = this.#numbering;
    const now = time.now();
    const { alone } = cluster;
    let back = 0;
    const payload = write(() => {
      back = alone ? numbering.nextAlone(now) : numbering.next(name, now);
      return [numbering.number, back];
    });
    const { number } = numbering;
    if (!alone) numbering.keep(name, back, payload, now);
    const failed = (error: unknown) => this.#failed(name, number, error);
    try {
      return Promise.resolve(backplane.publish(name, payload)).catch(failed);
    } catch (error) {
      // A driver that throws would keep the message from the members here.
      return Promise.resolve().then(() => failed(error));
    }
  }

  #failed(name: string, number: number, error: unknown): Promise<void> {
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
